#include "cli/generated_pages.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"

namespace pyhost::cli {
namespace {

CommandPage serve_page() {
  Commands commands;
  const auto pages = pages_below(commands.app());
  return *std::ranges::find(pages, "serve", &CommandPage::name);
}

}  // namespace

std::vector<GeneratedFile> generated_files() {
  Commands commands;
  const auto pages = pages_below(commands.app());
  std::vector<GeneratedFile> files{
      {"share/man/pyhost.1", manual_page(page_of(commands.app()), pages)},
      {"share/completions/pyhost.bash", bash_completion(pages)},
      {"share/completions/_pyhost", zsh_completion(pages)},
      {"share/completions/pyhost.fish", fish_completion(pages)}};
  for (const CommandPage& page : pages) {
    files.push_back({fmt::format("share/man/pyhost-{}.1", page.name), manual_page(page, {})});
  }
  return files;
}

std::string serve_options_table() {
  return options_table(serve_page());
}

std::string serve_help() {
  return help_text(serve_page(), {});
}

}  // namespace pyhost::cli
