#include <fmt/format.h>

#include <algorithm>

#include "cli/command_page.h"

namespace pyhost::cli {
namespace {

// roff takes a hyphen for one at which a line may break, and a dot that begins a line for a
// request.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
      continue;
    }
    if (c == '-') escaped += '\\';
    escaped += c;
  }
  return escaped.starts_with('.') || escaped.starts_with('\'') ? "\\&" + escaped : escaped;
}

std::string manual_name(const CommandPage& page) {
  return page.name.empty() ? "pyhost" : "pyhost-" + page.name;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return text;
}

std::string entry(const OptionEntry& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", roff(name));
  }
  if (!option.metavar.empty()) {
    names += fmt::format("{}\\fI{}\\fR", names.empty() ? "" : " ", roff(option.metavar));
  }
  return fmt::format(".TP\n{}\n{}.\n", names, roff(option.help));
}

}  // namespace

std::string manual_page(const CommandPage& page, std::span<const CommandPage> commands) {
  std::string text = fmt::format(
      ".\\\" Generated from the option tables by pyhost-reference.\n"
      ".TH {} 1 \"\" \"mod_pyhost\" \"mod_pyhost\"\n"
      ".SH NAME\n{} \\- {}\n"
      ".SH SYNOPSIS\n\\fB{}\\fR\n",
      upper(roff(manual_name(page))), roff(manual_name(page)), roff(page.summary),
      roff(page.usage()));
  if (!page.words.empty()) text += ".SH ARGUMENTS\n";
  for (const OptionEntry& word : page.words) text += entry(word);
  std::string_view heading;
  if (!page.options.empty()) text += ".SH OPTIONS\n";
  for (const OptionEntry& option : page.options) {
    if (option.heading != heading) {
      heading = option.heading;
      text += fmt::format(".SS \"{}\"\n", roff(heading));
    }
    text += entry(option);
  }
  if (!commands.empty()) text += ".SH COMMANDS\n";
  for (const CommandPage& command : commands) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}; see\n.BR pyhost\\-{} (1).\n", roff(command.name),
                        roff(command.summary), roff(command.name));
  }
  text +=
      ".SH EXIT STATUS\n0 when it has done what it was told, 1 when it could not, 2 for a "
      "mistake on the command line.\n";
  if (!page.name.empty()) text += ".SH SEE ALSO\n.BR pyhost (1)\n";
  return text;
}

}  // namespace pyhost::cli
