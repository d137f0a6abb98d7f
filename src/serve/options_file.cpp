#include "serve/options_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/nearest.h"
#include "serve/paths.h"

namespace pyhost::serve {
namespace {

constexpr char kUsualFile[] = "pyhost.toml";
constexpr char kTarget[] = "target";

// A value of TOML as it would be typed; nothing for one of another kind.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return fmt::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  return std::nullopt;
}

class OptionsFile {
 public:
  OptionsFile(std::string file, std::string folder)
      : file_(std::move(file)), folder_(std::move(folder)) {}

  base::Result<ServeOptions> read(std::string_view text) {
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
      return base::fail(fmt::format("{}:{}: {}", file_, parsed.error().source().begin.line,
                                    parsed.error().description()));
    }
    for (const auto& [key, node] : parsed.table()) PH_TRY_VOID(take(key.str(), node));
    return std::move(options_);
  }

 private:
  std::string place_of(const toml::node& node, std::string_view key) const {
    return fmt::format("{}:{}: {}", file_, node.source().begin.line, key);
  }

  base::Result<> take(std::string_view key, const toml::node& node) {
    const std::string place = place_of(node, key);
    if (key == kTarget) return take_target(place, node);
    const ServeOption* option = find_option(key);
    if (option == nullptr) return unknown(place);
    if (const toml::array* list = node.as_array(); list != nullptr && option->is_list()) {
      for (const toml::node& item : *list) PH_TRY_VOID(take_value(*option, place, item));
      return {};
    }
    if (const toml::table* pairs = node.as_table(); pairs != nullptr && option->is_pairs()) {
      for (const auto& [name, item] : *pairs)
        PH_TRY_VOID(take_pair(*option, place, name.str(), item));
      return {};
    }
    return take_value(*option, place, node);
  }

  base::Result<> take_target(const std::string& place, const toml::node& node) {
    const auto text = text_of(node);
    if (!text || text->empty()) return base::fail(fmt::format("{}: a text is needed", place));
    // A path is one from the file's folder, and everything else no path.
    const std::string path = (std::filesystem::path(folder_) / *text).lexically_normal();
    options_.target = exists(path) ? path : *text;
    return {};
  }

  base::Result<> take_value(const ServeOption& option, const std::string& place,
                            const toml::node& node) {
    const auto text = text_of(node);
    if (!text) return base::fail(fmt::format("{}: {} is needed", place, accepted_by(option)));
    return assign(options_, option, *text, {.name = place, .folder = folder_});
  }

  base::Result<> take_pair(const ServeOption& option, const std::string& place,
                           std::string_view name, const toml::node& node) {
    const auto text = text_of(node);
    if (!text) return base::fail(fmt::format("{}: {} is needed", place, accepted_by(option)));
    return assign(options_, option, fmt::format("{}={}", name, *text),
                  {.name = place, .folder = folder_});
  }

  static base::Result<> unknown(const std::string& place) {
    std::vector<std::string_view> names{kTarget};
    for (const ServeOption& option : serve_options()) names.push_back(option.name);
    const auto key = std::string_view(place).substr(place.rfind(' ') + 1);
    const std::string_view nearest = base::nearest_name(key, names);
    return base::fail(nearest.empty() ? fmt::format("{}: there is no such option", place)
                                      : fmt::format("{}: there is no such option; did you mean {}?",
                                                    place, nearest));
  }

  const std::string file_;
  const std::string folder_;
  ServeOptions options_;
};

}  // namespace

base::Result<ServeOptions> parse_options(std::string_view text, const std::string& file,
                                         const std::string& folder) {
  return OptionsFile(file, folder).read(text);
}

base::Result<> read_options_file(ServeOptions& options) {
  const bool is_named = !options.config.empty();
  const std::string path = is_named ? options.config : absolute_path(kUsualFile);
  if (!is_named && !exists(path)) return {};
  std::ifstream stream(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream.is_open()) {
    return base::fail(fmt::format("{} {} cannot be read: {}", options.named("config"), path,
                                  std::strerror(errno)));
  }
  const std::filesystem::path file(path);
  PH_TRY(given, parse_options(text, is_named ? path : kUsualFile, file.parent_path()));
  add_defaults(options, given);
  return {};
}

}  // namespace pyhost::serve
