#include <fmt/format.h>

#include <algorithm>

#include "cli/command_page.h"

namespace pyhost::cli {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kHelpColumn = 28;

// `text` in lines that begin at a column; the first one continues what is there.
std::string wrapped(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    std::size_t length = text.size();
    if (length > kColumns - kHelpColumn) {
      const auto blank = text.rfind(' ', kColumns - kHelpColumn);
      length = blank != text.npos ? blank : std::min(text.find(' '), text.size());
    }
    lines += fmt::format("{}{}\n", lines.empty() ? "" : std::string(kHelpColumn, ' '),
                         text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return lines;
}

std::string entry_line(const std::string& what, std::string_view help) {
  std::string line = "  " + what;
  if (line.size() + 2 > kHelpColumn) {
    line += "\n" + std::string(kHelpColumn, ' ');
  } else {
    line.resize(kHelpColumn, ' ');
  }
  return line + wrapped(help);
}

std::string written(const OptionEntry& option) {
  // Other long names stand in the help.
  std::string text;
  for (const std::string& name : option.names) {
    text += (text.empty() ? "" : ",") + name;
    if (name.starts_with("--")) break;
  }
  return option.metavar.empty() ? text : fmt::format("{} {}", text, option.metavar);
}

}  // namespace

std::string CommandPage::full_name() const {
  return name.empty() ? "pyhost" : "pyhost " + name;
}

std::string CommandPage::usage() const {
  std::string text = full_name();
  if (name.empty()) return text + " COMMAND ...";
  if (!options.empty()) text += " [OPTIONS]";
  for (const OptionEntry& word : words) text += " " + word.metavar;
  return text;
}

std::string help_text(const CommandPage& page, std::span<const CommandPage> commands) {
  std::string text = fmt::format("Usage: {}\n\n{}\n", page.usage(), page.summary);
  if (!page.words.empty()) text += "\n";
  for (const OptionEntry& word : page.words) text += entry_line(word.metavar, word.help);
  std::string_view heading;
  for (const OptionEntry& option : page.options) {
    if (option.heading != heading) {
      heading = option.heading;
      text += fmt::format("\n{}:\n", heading);
    }
    text += entry_line(written(option), option.help);
  }
  if (!commands.empty()) text += "\nCommands:\n";
  for (const CommandPage& command : commands) text += entry_line(command.name, command.summary);
  return text;
}

std::string options_table(const CommandPage& page) {
  std::string text;
  std::string_view heading;
  for (const OptionEntry& option : page.options) {
    if (option.heading != heading) {
      heading = option.heading;
      text += fmt::format("\n### {}\n\n| option | |\n| --- | --- |\n", heading);
    }
    std::string help;
    for (const char c : option.help) {
      if (c == '|') help += '\\';
      help += c;
    }
    text += fmt::format("| `{}` | {} |\n", written(option), help);
  }
  return text;
}

}  // namespace pyhost::cli
