#include "cli/serve_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <set>

namespace pyhost::cli {

using serve::ServeOption;
using serve::ValueKind;

void ServeArguments::add(const ServeOption& option, const std::string& names, int words) {
  const bool is_flag = option.kind == ValueKind::Flag;
  CLI::Option& added = is_flag ? *command_->add_flag(names) : *command_->add_option(names);
  if (!is_flag) {
    added.expected(words)->type_name(std::string(option.metavar));
    added.multi_option_policy(option.is_list() ? CLI::MultiOptionPolicy::TakeAll
                                               : CLI::MultiOptionPolicy::TakeLast);
  }
  added.description(help_of(option));
  // One that takes two words is told of in the help of the other.
  added.group(words == 1 ? std::string(option.heading) : std::string());
  known_[&added] = {.option = &option, .words = words};
}

void ServeArguments::add_to(CLI::App& command) {
  command_ = &command;
  command.add_option("TARGET", target_,
                     "A script, package.module:callable, a package.module, or the folder of a "
                     "project or of web pages; a callable that ends in () makes the application");
  for (const ServeOption& option : serve::serve_options()) {
    std::string names = fmt::format("--{}", option.name);
    for (const serve::OtherName& other : option.other_names()) {
      if (other.words == 1) names += ",--" + other.name;
    }
    add(option, names, 1);
    for (const serve::OtherName& other : option.other_names()) {
      if (other.words > 1) add(option, "--" + other.name, other.words);
    }
  }
}

base::Result<serve::ServeOptions> ServeArguments::options() const {
  serve::ServeOptions options;
  options.target = target_;
  std::set<const CLI::Option*> seen;
  for (const CLI::Option* typed : command_->parse_order()) {
    const auto known = known_.find(typed);
    if (known == known_.end() || !seen.insert(typed).second) continue;
    const ServeOption& option = *known->second.option;
    const std::vector<std::string>& words = typed->results();
    for (std::size_t i = 0; i < words.size(); i += static_cast<std::size_t>(known->second.words)) {
      const std::string value = known->second.words == 1 || i + 1 == words.size()
                                    ? words[i]
                                    : words[i] + "=" + words[i + 1];
      PH_TRY_VOID(assign(options, option, value, {.name = typed->get_name(), .folder = ""}));
    }
  }
  return options;
}

}  // namespace pyhost::cli
