#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "cli/commands.h"

namespace pyhost::cli {
namespace {

constexpr int kUsageError = 2;

std::string meant(std::string_view written, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view nearest = base::nearest_name(written, views);
  return nearest.empty() ? std::string() : fmt::format("; did you mean {}?", nearest);
}

std::string unknown_option(const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const OptionEntry& option : page_of(command).options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("there is no option {}{}", name, meant(name, names));
}

// The words that nothing takes, in the order in which they were typed.
std::string about_words(const CLI::App& app, const CLI::App& command) {
  const auto words = app.remaining(true);
  const auto option =
      std::ranges::find_if(words, [](const auto& word) { return word.starts_with('-'); });
  if (option != words.end()) return unknown_option(command, *option);
  if (words.empty()) return {};
  if (&command != &app) return fmt::format("'{}' is a word too many", words.front());
  std::vector<std::string> names;
  for (const CommandPage& page : pages_below(app)) names.push_back(page.name);
  return fmt::format("there is no command '{}'{}", words.front(), meant(words.front(), names));
}

// CLI11 begins its sentence about an option with the option.
std::string about_option(const CLI::ParseError& error) {
  const std::string sentence = error.what();
  const auto colon = sentence.find(": ");
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && colon != sentence.npos) {
    return fmt::format("{} needs a value", sentence.substr(0, colon));
  }
  const auto required = sentence.find(" is required");
  if (required == sentence.npos) return sentence;
  return fmt::format("{} is needed", sentence.substr(0, required));
}

std::string sentence_about(const Commands& commands, const CLI::App& app,
                           const CLI::ParseError& error) {
  const std::string words = about_words(app, commands.typed());
  if (!words.empty()) return words;
  return &commands.typed() == &app ? "a command is needed" : about_option(error);
}

CommandLine refuse(const CLI::App& command, const std::string& sentence) {
  const std::string name = page_of(command).full_name();
  fmt::print(stderr, "{}: {}; see {} --help\n", name, sentence, name);
  return {.exit_code = kUsageError};
}

CommandLine chosen(Commands& commands) {
  if (commands.is_operate()) return {.operate = commands.operate()};
  if (commands.is_check()) return {.check = commands.check()};
  if (commands.is_build_plugin()) return {.build_plugin = commands.build_plugin()};
  auto options = commands.is_setup() ? commands.setup().options() : commands.serve().options();
  if (!options) return refuse(commands.typed(), options.error().sentence);
  if (!commands.is_setup()) return {.serve = *std::move(options)};
  return {.setup =
              serve::SetupOptions{.folder = commands.setup_folder(), .serve = *std::move(options)}};
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  Commands commands;
  CLI::App& app = commands.app();
  // The library reports by exception.
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& command = commands.typed();
    fmt::print("{}", help_text(page_of(command), pages_below(command)));
    return {};
  } catch (const CLI::CallForVersion& version) {
    fmt::print("{}\n", version.what());
    return {};
  } catch (const CLI::ParseError& error) {
    return refuse(commands.typed(), sentence_about(commands, app, error));
  }
  return chosen(commands);
}

}  // namespace pyhost::cli
