//! Recipes that are understood, and what is said about those that are not.

use super::*;

const LAYER: &str = "[[layers]]\nname = \"base\"\npackages = [\"apt\"]\n";

#[test]
fn the_recipe_of_the_page_is_a_recipe() {
    let page: String = PAGE
        .lines()
        .skip_while(|line| *line != "```toml")
        .skip(1)
        .take_while(|line| *line != "```")
        .map(|line| format!("{line}\n"))
        .collect();
    let recipe = Recipe::parse(&page).unwrap();
    assert_eq!(recipe.layers.len(), 2);
    assert_eq!(recipe.files.len(), 4);
    assert_eq!(recipe.image.stop_signal.as_deref(), Some("SIGWINCH"));
    assert_eq!(recipe.attachments_needed(), BTreeSet::from(["logo.png"]));
    assert_eq!(recipe.layer_of(&recipe.files[0]), 1);
}

#[test]
fn our_own_recipes_are_recipes() {
    let recipe = Recipe::parse(crate::HTTPD).unwrap();
    assert_eq!(recipe.layers.len(), 2);
    assert_eq!(recipe.image.expose, ["80/tcp"]);
}

#[test]
fn a_mistake_is_named_with_its_line() {
    for (text, line, words) in [
        (
            "[image]\nentrypiont = []\n",
            2,
            "unknown field `entrypiont`",
        ),
        ("", 0, "no layer"),
        ("[[layers]]\nname = \"a\"\n", 2, "has no package"),
        (&format!("{LAYER}{LAYER}"), 5, "a second layer"),
        (
            "[[layers]]\nname=\"a\"\npackages=[\n\"ok\",\n\"Not\"]\n",
            5,
            "`Not`",
        ),
        (
            &format!("{LAYER}[[files]]\npath = \"etc\"\ntext = \"\"\n"),
            5,
            "absolute",
        ),
        (
            &format!("{LAYER}[[files]]\npath = \"/../x\"\ntext = \"\"\n"),
            5,
            "absolute",
        ),
        (
            &format!("{LAYER}[[files]]\npath = \"/a\"\n"),
            5,
            "exactly one",
        ),
        (
            &format!("{LAYER}[[files]]\npath = \"/a\"\ntext = \"\"\nlink = \"b\"\n"),
            5,
            "exactly one",
        ),
        (
            &format!("{LAYER}[[files]]\npath = \"/a\"\ntext = \"\"\nmode = \"888\"\n"),
            7,
            "mode",
        ),
        (
            &format!("{LAYER}[[files]]\npath = \"/a\"\ntext = \"\"\nlayer = \"x\"\n"),
            7,
            "layer `x`",
        ),
        ("[image\n", 1, ""),
    ] {
        let error = Recipe::parse(text).expect_err(text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn a_file_beside_the_recipe_must_be_given() {
    let text = format!("{LAYER}[[files]]\npath = \"/a\"\nfrom = \"a.txt\"\n");
    let mut recipe = Recipe::parse(&text).unwrap();
    let file = recipe.files[0].clone();
    assert!(recipe.kind_of(&file).unwrap_err().message.contains("a.txt"));
    recipe.attach("a.txt", b"hi".to_vec());
    assert_eq!(recipe.kind_of(&file).unwrap(), FileKind::Bytes(b"hi"));
}
