#include "apache/config/places.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/config/config.h"
#include "apache/config/process_groups.h"

namespace pyhost::apache {
namespace {

constexpr std::string_view kGroupDirective = "WSGIDaemonProcess ";

}  // namespace

const char* place_of(const cmd_parms* cmd) {
  return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}

const char* place_of_subject(std::string_view sentence) {
  if (sentence.starts_with(kGroupDirective)) {
    const std::string_view rest = sentence.substr(kGroupDirective.size());
    for (const DaemonGroup* group : all_process_groups()) {
      const std::string_view name = group->options.name;
      if (rest.starts_with(name) && rest.substr(name.size()).starts_with(": ")) {
        return group->place;
      }
    }
    return nullptr;
  }
  const auto& places = server_config(ap_server_conf).places;
  const auto found = places.find(sentence.substr(0, sentence.find_first_of(": ")));
  return found == places.end() ? nullptr : found->second;
}

std::string with_place(std::string sentence, const char* place_or_null) {
  if (place_or_null != nullptr) sentence += fmt::format(" ({})", place_or_null);
  return sentence;
}

std::string with_places(std::string_view sentences) {
  std::string placed;
  for (std::size_t start = 0; start <= sentences.size();) {
    const auto stop = std::min(sentences.find('\n', start), sentences.size());
    const std::string_view sentence = sentences.substr(start, stop - start);
    if (start != 0) placed += '\n';
    placed += with_place(std::string(sentence), place_of_subject(sentence));
    start = stop + 1;
  }
  return placed;
}

}  // namespace pyhost::apache
