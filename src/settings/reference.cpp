#include "settings/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "pyhost/base/messages.h"
#include "settings/directives.h"
#include "settings/process_group.h"

namespace pyhost::settings {
namespace {

constexpr std::string_view kDirectivesIntroduction =
    "# Directives\n"
    "\n"
    "This page is generated from the directive table; `build/dev/tests/pyhost-reference --write`\n"
    "renews it.\n"
    "\n"
    "Applications are mapped with `WSGIScriptAlias`, or by giving a file to the handler\n"
    "`wsgi-script` (`application/x-httpd-wsgi` is the same): `AddHandler wsgi-script .wsgi` in a\n"
    "directory with `Options +ExecCGI`. The settings of a request are those of its alias, then of\n"
    "its directory sections and `.htaccess` files, then of its virtual host, then of the main\n"
    "server. On and Off may be written in any letter case; numbers are decimal digits and nothing\n"
    "else. A wrong value is an error when the configuration is read. `apachectl -t -D "
    "DUMP_PYHOST`\n"
    "shows the settings of every virtual host.\n";

constexpr std::string_view kConfIntroduction =
    "# Every directive of mod_pyhost, with its default where it has one. Generated from the\n"
    "# directive table; docs/DIRECTIVES.md says more.\n";

constexpr std::string_view kProcessGroupsIntroduction =
    "# Options of process groups\n"
    "\n"
    "What `WSGIDaemonProcess name key=value ...` takes. This page is generated, see "
    "DIRECTIVES.md.\n"
    "\n"
    "A plain number is a time in seconds unless the option says otherwise; `500ms`, `30s`, `5min`\n"
    "and `1h` are times too. A size is in bytes, or ends in K, M or G. On and Off may be written "
    "in\n"
    "any letter case. `python-home=`, `python-path=`, `python-eggs=`, `lang=`, `locale=`,\n"
    "`display-name=` and `supplementary-groups=` may be empty, which is the same as not given.\n";

constexpr std::string_view kMessagesIntroduction =
    "# Messages\n"
    "\n"
    "Every line that mod_pyhost writes to the error log begins with one of these, except what\n"
    "applications write themselves. This page is generated, see DIRECTIVES.md.\n"
    "\n"
    "| id | what has happened | what to do |\n"
    "| --- | --- | --- |\n";

// The default as it would be written; "" when there is none.
std::string default_of(const Directive& directive) {
  if (const auto* setting = std::get_if<Setting<ProcessSettings>>(&directive.meaning)) {
    return setting->show(process_defaults(), directive);
  }
  if (const auto* setting = std::get_if<Setting<RequestSettings>>(&directive.meaning)) {
    return setting->show(kRequestDefaults, directive);
  }
  return "";
}

// `text` in lines of at most `columns`, each after `prefix`.
std::string wrapped(std::string_view text, std::string_view prefix, std::size_t columns) {
  std::string lines;
  while (!text.empty()) {
    std::size_t length = text.size();
    if (prefix.size() + length > columns) {
      const auto blank = text.rfind(' ', columns - prefix.size());
      length = std::min(blank != text.npos ? blank : text.find(' '), text.size());
    }
    lines += fmt::format("{}{}\n", prefix, text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return lines;
}

// `text` with its <sections> kept from becoming HTML.
std::string as_markdown(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// Every line of `text` after `prefix`.
std::string prefixed(std::string_view text, std::string_view prefix) {
  std::string lines;
  for (std::size_t start = 0; start <= text.size();) {
    const auto stop = std::min(text.find('\n', start), text.size());
    lines += fmt::format("{}{}\n", prefix, text.substr(start, stop - start));
    start = stop + 1;
  }
  return lines;
}

}  // namespace

std::string directives_page() {
  constexpr std::size_t kColumns = 100;
  std::string page(kDirectivesIntroduction);
  for (const Directive& directive : all_directives()) {
    const std::string standard = default_of(directive);
    const bool section = std::holds_alternative<OptionsSection>(directive.meaning);
    page += fmt::format("\n## {}\n\n", as_markdown(written_name(directive)));
    page += fmt::format("- Syntax: `{}{} {}{}`\n", section ? "<" : "", directive.name,
                        directive.syntax, section ? ">" : "");
    page += standard.empty() ? std::string("- Default: none\n")
                             : fmt::format("- Default: `{} {}`\n", directive.name, standard);
    page += fmt::format("- Where: {}\n", describe(directive.scope));
    if (directive.option != nullptr) {
      page += fmt::format("- On an alias: `{}=`\n", directive.option);
    }
    page += fmt::format("\n{}\n", wrapped(as_markdown(directive.description), "", kColumns));
    page += fmt::format("```apache\n{}\n```\n", directive.example);
  }
  return page;
}

std::string reference_conf() {
  constexpr std::size_t kColumns = 88;
  std::string text(kConfIntroduction);
  for (const Directive& directive : all_directives()) {
    const std::string standard = default_of(directive);
    text += fmt::format("\n{}", wrapped(directive.description, "# ", kColumns));
    text += fmt::format("# Where: {}.\n", describe(directive.scope));
    text += standard.empty() ? prefixed(directive.example, "#")
                             : fmt::format("#{} {}\n", directive.name, standard);
  }
  return text;
}

std::string process_groups_page() {
  constexpr std::size_t kColumns = 100;
  const ProcessGroup defaults;
  std::string page(kProcessGroupsIntroduction);
  for (const ProcessGroupOption& option : process_group_options()) {
    const auto standard = option.member.show(defaults, option);
    page += fmt::format("\n## {}=\n\n- Value: {}\n", option.key, option.accepted);
    page += standard.empty() ? std::string("- Default: none\n")
                             : fmt::format("- Default: `{}`\n", standard.front());
    page += fmt::format("\n{}", wrapped(as_markdown(option.description), "", kColumns));
  }
  return page;
}

std::string messages_page() {
  std::string page(kMessagesIntroduction);
  for (const base::MessageInfo& info : base::all_messages()) {
    page += fmt::format("| {} | {} | {} |\n", info.id, info.meaning, info.remedy);
  }
  return page;
}

}  // namespace pyhost::settings
