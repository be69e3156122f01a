//! The house as a whole: its floors, its command line, and the binary on images made here.

mod command_line;
mod floors;
mod hostile;
mod images;
mod slim;
