#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/command_page.h"

namespace pyhost::cli {
namespace {

std::vector<std::string> names_of(const CommandPage& page) {
  std::vector<std::string> names;
  for (const OptionEntry& option : page.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> commands_of(std::span<const CommandPage> commands) {
  std::vector<std::string> names;
  for (const CommandPage& command : commands) names.push_back(command.name);
  return names;
}

// The options of all commands whose values are alike, each once: "--host|--port".
template <class Predicate>
std::string patterns_of(std::span<const CommandPage> commands, const Predicate& predicate) {
  std::vector<std::string> names;
  for (const CommandPage& command : commands) {
    for (const OptionEntry& option : command.options) {
      if (!option.metavar.empty() && predicate(option)) {
        names.insert(names.end(), option.names.begin(), option.names.end());
      }
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return fmt::format("{}", fmt::join(names, "|"));
}

// For a word in single quotes of a shell, or of zsh in a bracket.
std::string quoted(std::string_view text, std::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
      continue;
    }
    if (special.find(c) != special.npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh_value(const OptionEntry& option) {
  if (option.metavar.empty()) return {};
  if (!option.choices.empty()) {
    return fmt::format(":{}:({})", quoted(option.metavar, ":"), fmt::join(option.choices, " "));
  }
  return fmt::format(":{}:{}", quoted(option.metavar, ":"), option.takes_path ? "_files" : "");
}

std::string zsh_option(const OptionEntry& option) {
  std::string lines;
  for (const std::string& name : option.names) {
    lines += fmt::format("        '*{}[{}]{}' \\\n", name, quoted(option.help, "[]:\\"),
                         zsh_value(option));
  }
  return lines;
}

}  // namespace

std::string bash_completion(std::span<const CommandPage> commands) {
  std::string text = fmt::format(
      "# Generated from the option tables by pyhost-reference.\n"
      "_pyhost() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '{} --help --version' -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  case $previous in\n",
      fmt::join(commands_of(commands), " "));
  std::vector<std::string> seen;
  for (const CommandPage& command : commands) {
    for (const OptionEntry& option : command.options) {
      if (option.choices.empty() || std::ranges::find(seen, option.names.front()) != seen.end()) {
        continue;
      }
      seen.push_back(option.names.front());
      text += fmt::format(
          "    {})\n      COMPREPLY=($(compgen -W '{}' -- \"$current\"))\n"
          "      return\n      ;;\n",
          fmt::join(option.names, "|"), fmt::join(option.choices, " "));
    }
  }
  text += fmt::format(
      "    {})\n      COMPREPLY=($(compgen -f -- \"$current\"))\n      return\n      ;;\n",
      patterns_of(commands, [](const OptionEntry& option) { return option.takes_path; }));
  text += fmt::format("    {})\n      return\n      ;;\n  esac\n",
                      patterns_of(commands, [](const OptionEntry& option) {
                        return !option.takes_path && option.choices.empty();
                      }));
  text +=
      "  if [ \"${current#-}\" = \"$current\" ]; then\n"
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  local options=\n"
      "  case ${COMP_WORDS[1]} in\n";
  for (const CommandPage& command : commands) {
    text += fmt::format("    {})\n      options='{}'\n      ;;\n", command.name,
                        fmt::join(names_of(command), " "));
  }
  return text +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
         "}\n"
         "complete -o filenames -F _pyhost pyhost\n";
}

std::string zsh_completion(std::span<const CommandPage> commands) {
  std::string text =
      "#compdef pyhost\n"
      "# Generated from the option tables by pyhost-reference.\n"
      "_pyhost() {\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a commands=(\n";
  for (const CommandPage& command : commands) {
    text += fmt::format("      '{}:{}'\n", command.name, quoted(command.summary, ":"));
  }
  text +=
      "    )\n    _describe command commands\n    return\n  fi\n"
      "  shift words; (( CURRENT-- ))\n"
      "  case $words[1] in\n";
  for (const CommandPage& command : commands) {
    text += fmt::format("    {})\n      _arguments \\\n", command.name);
    for (const OptionEntry& option : command.options) text += zsh_option(option);
    text += fmt::format("        '*:{}:_files'\n      ;;\n",
                        command.words.empty() ? "" : quoted(command.words.front().metavar, ":"));
  }
  return text + "  esac\n}\n_pyhost \"$@\"\n";
}

std::string fish_completion(std::span<const CommandPage> commands) {
  std::string text = "# Generated from the option tables by pyhost-reference.\n";
  for (const CommandPage& command : commands) {
    text += fmt::format("complete -c pyhost -f -n __fish_use_subcommand -a {} -d '{}'\n",
                        command.name, quoted(command.summary, "\\"));
  }
  for (const CommandPage& command : commands) {
    for (const OptionEntry& option : command.options) {
      for (const std::string& name : option.names) {
        const bool is_long = name.starts_with("--");
        text += fmt::format("complete -c pyhost -n '__fish_seen_subcommand_from {}' {} {}",
                            command.name, is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
        if (!option.metavar.empty()) text += option.takes_path ? " -r -F" : " -x";
        if (!option.choices.empty()) {
          text += fmt::format(" -a '{}'", fmt::join(option.choices, " "));
        }
        text += fmt::format(" -d '{}'\n", quoted(option.help, "\\"));
      }
    }
  }
  return text;
}

}  // namespace pyhost::cli
