// What is made of the commands and their options for manuals and shells.
#pragma once

#include <string>
#include <vector>

namespace pyhost::cli {

struct GeneratedFile {
  std::string path;  // in the source tree: "share/man/pyhost.1"
  std::string text;
};

// Manual pages, and completions for bash, zsh and fish.
std::vector<GeneratedFile> generated_files();

// The options of `pyhost serve` as tables of Markdown.
std::string serve_options_table();

// What `pyhost serve --help` says.
std::string serve_help();

}  // namespace pyhost::cli
