// Any text as the value of any directive or option, and as URL and alias: what is accepted means
// the same when it is written as the dump shows it, and no alias covers more than there is.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory_resource>
#include <string>
#include <string_view>

#include "apache/request/alias_match.h"
#include "settings/directives.h"
#include "settings/process_group.h"

namespace {

using namespace pyhost;

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Record>
void check_value(const settings::Directive& directive, std::string_view value) {
  const auto* setting = std::get_if<settings::Setting<Record>>(&directive.meaning);
  if (setting == nullptr) return;
  std::pmr::monotonic_buffer_resource memory;
  Record record;
  const auto assigned = setting->assign(record, directive, value, memory);
  const std::string shown = setting->show(record, directive);
  require(assigned || shown.empty());
  if (shown.empty()) return;
  Record again;
  require(bool(setting->assign(again, directive, shown, memory)));
  require(setting->show(again, directive) == shown);
}

void check_directive(std::size_t number, std::string_view value) {
  const auto all = settings::all_directives();
  const settings::Directive& directive = all[number % all.size()];
  check_value<settings::ProcessSettings>(directive, value);
  check_value<settings::RequestSettings>(directive, value);
  if (std::holds_alternative<settings::Inert>(directive.meaning)) {
    static_cast<void>(settings::check_inert(directive, value));
  }
}

void check_option(std::size_t number, std::string_view value) {
  const auto all = settings::process_group_options();
  const std::string_view key = all[number % all.size()].key;
  settings::ProcessGroup group;
  const settings::ProcessGroup untouched;
  if (!settings::parse_process_group_option(group, key, value)) return require(group == untouched);
  settings::ProcessGroup again;
  for (const auto& [shown_key, shown] : settings::given_options(group)) {
    require(bool(settings::parse_process_group_option(again, shown_key, shown)));
  }
  require(again == group);
}

void check_alias(std::string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view uri = text.substr(0, end);
  const std::string_view alias = text.substr(std::min(end + 1, text.size()));
  const auto covered = apache::match_alias(uri, alias);
  if (!covered) return;
  require(*covered <= uri.size());
  require(alias.ends_with('/') || *covered == uri.size() || uri[*covered] == '/');
  require(apache::without_trailing_slashes(uri, *covered) <= *covered);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 3) {
    case 0:
      check_directive(data[1], text);
      break;
    case 1:
      check_option(data[1], text);
      break;
    default:
      check_alias(text);
  }
  return 0;
}
