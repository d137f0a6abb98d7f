// What is told about a command: its help, its manual page, its completion in a shell.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pyhost::cli {

struct OptionEntry {
  std::vector<std::string> names;  // "--port", "-h"; none for a word without one
  std::string metavar;             // "" for a flag; the name of a word
  std::string help;                // a sentence without its full stop
  std::string heading;
  std::vector<std::string> choices;
  bool takes_path = false;
};

struct CommandPage {
  std::string name;  // "serve"; "" for the program itself
  std::string summary;
  std::vector<OptionEntry> words;    // that stand without a name: TARGET
  std::vector<OptionEntry> options;  // in the order of their headings

  std::string full_name() const;  // "pyhost serve"
  std::string usage() const;      // "pyhost serve [OPTIONS] TARGET"
};

// --- The renderings; all are pure ----------------------------------------------------------------

// What --help says. `commands` are those of the program itself.
std::string help_text(const CommandPage& page, std::span<const CommandPage> commands);

// A manual page in section 1, in roff.
std::string manual_page(const CommandPage& page, std::span<const CommandPage> commands);

std::string bash_completion(std::span<const CommandPage> commands);
std::string zsh_completion(std::span<const CommandPage> commands);
std::string fish_completion(std::span<const CommandPage> commands);

// The options as a table of Markdown.
std::string options_table(const CommandPage& page);

}  // namespace pyhost::cli
