#include "apache/config/group_routes.h"

#include <ap_listen.h>

#include <algorithm>
#include <optional>
#include <string>

#include "apache/config/sections.h"
#include "apache/pool.h"
#include "apache/request/alias_match.h"

namespace pyhost::apache {
namespace {

// What a request is for.
struct Point {
  std::string_view url;
  std::string_view file;  // "" for a module
};

enum class Cover { no, yes, maybe };

const core_dir_config& core_of(const ap_conf_vector_t* section) {
  return *static_cast<core_dir_config*>(ap_get_core_module_config(section));
}

// Whether `path` is `folder` or below it.
bool is_within(std::string_view path, std::string_view folder) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

Cover cover_of(const core_dir_config& section, std::string_view path) {
  if (section.r != nullptr || section.d_is_fnmatch) return Cover::maybe;
  return is_within(path, view_or_empty(section.d)) ? Cover::yes : Cover::no;
}

bool names_group(const ap_conf_vector_t* section) {
  const auto* own = directory_config_or_null(section);
  return own != nullptr && own->request.process_group.has_value();
}

bool any_names_group(const apr_array_header_t* sections) {
  if (sections == nullptr) return false;
  for (int i = 0; i < sections->nelts; ++i) {
    const auto* section = APR_ARRAY_IDX(sections, i, const ap_conf_vector_t*);
    const core_dir_config& core = core_of(section);
    if (names_group(section) || any_names_group(core.sec_file) || any_names_group(core.sec_if)) {
      return true;
    }
  }
  return false;
}

// Follows the sections in httpd's order; a later one overrides an earlier one.
class Route {
 public:
  explicit Route(const server_rec* s)
      : core_(*static_cast<core_server_config*>(ap_get_core_module_config(s->module_config))),
        defaults_(core_of(s->lookup_defaults)) {}

  // Nothing when it cannot be told.
  std::optional<GroupSource> source_for(const Point& point) const {
    Found found;
    bool conditional = any_names_group(defaults_.sec_if);
    bool by_file = any_names_group(defaults_.sec_file);
    const auto look_inside = [&](const core_dir_config& section) {
      conditional |= any_names_group(section.sec_if);
      by_file |= any_names_group(section.sec_file);
    };
    if (!point.file.empty()) follow(core_.sec_dir, point.file, found, look_inside);
    if (by_file) found.sure = false;
    follow(core_.sec_url, point.url, found, look_inside);
    if (!found.sure || conditional) return std::nullopt;
    return found.source;
  }

  // The URLs of the sections below `url`, and the folders of those below `file`.
  std::vector<Point> points_below(const Point& point) const {
    std::vector<Point> points;
    for_each(core_.sec_url, [&](const ap_conf_vector_t* section, const core_dir_config& core) {
      const std::string_view url = view_or_empty(core.d);
      if (is_plain(section, core) && is_within(url, point.url)) points.push_back({url, point.file});
    });
    if (!point.file.ends_with('/')) return points;
    for_each(core_.sec_dir, [&](const ap_conf_vector_t* section, const core_dir_config& core) {
      const std::string_view folder = view_or_empty(core.d);
      if (is_plain(section, core) && is_within(folder, point.file)) {
        points.push_back({point.url, folder});
      }
    });
    return points;
  }

 private:
  struct Found {
    GroupSource source = nullptr;
    bool sure = true;
  };

  static bool is_plain(const ap_conf_vector_t* section, const core_dir_config& core) {
    return names_group(section) && cover_of(core, "") != Cover::maybe;
  }

  template <class Do>
  static void for_each(const apr_array_header_t* sections, const Do& act) {
    for (int i = 0; sections != nullptr && i < sections->nelts; ++i) {
      const auto* section = APR_ARRAY_IDX(sections, i, const ap_conf_vector_t*);
      act(section, core_of(section));
    }
  }

  template <class LookInside>
  static void follow(const apr_array_header_t* sections, std::string_view path, Found& found,
                     const LookInside& look_inside) {
    for_each(sections, [&](const ap_conf_vector_t* section, const core_dir_config& core) {
      const Cover cover = cover_of(core, path);
      if (cover == Cover::no) return;
      look_inside(core);
      if (!names_group(section)) return;
      found = {directory_config_or_null(section), cover == Cover::yes};
    });
  }

  const core_server_config& core_;
  const core_dir_config& defaults_;
};

}  // namespace

bool may_get_requests(const server_rec* s) {
  if (s->is_virtual) return true;
  const auto is_taken = [s](const ap_listen_rec& listener) {
    const apr_port_t port = listener.bind_addr->port;
    for (const server_rec* host = s->next; host != nullptr; host = host->next) {
      for (const auto* address = host->addrs; address != nullptr; address = address->next) {
        const bool all_ports = address->host_port == 0;
        if ((all_ports || address->host_port == port) &&
            apr_sockaddr_is_wildcard(address->host_addr)) {
          return true;
        }
      }
    }
    return false;
  };
  for (const ap_listen_rec* listener = ap_listeners; listener != nullptr;
       listener = listener->next) {
    if (!is_taken(*listener)) return true;
  }
  return ap_listeners == nullptr;
}

bool takes(const ScriptAlias& alias, std::string_view url) {
  if (alias.regex == nullptr) return match_alias(url, alias.path).has_value();
  return ap_regexec(alias.regex, std::string(url).c_str(), 0, nullptr, 0) == 0;
}

bool is_shadowed(const server_rec* s, const ScriptAlias& alias) {
  if (alias.regex != nullptr) return false;
  if (!alias.path.starts_with('/')) return true;
  for (const ScriptAlias* other : server_config(s).aliases) {
    if (other == &alias) return false;
    if (takes(*other, alias.path)) return true;
  }
  return false;
}

std::vector<GroupSource> group_sources(const server_rec* s, const ScriptAlias& alias) {
  const Route route(s);
  const Point own{.url = alias.regex == nullptr ? alias.path : std::string_view("/"),
                  .file = alias.kind == gateway::TargetKind::file ? alias.target : ""};
  std::vector<GroupSource> sources;
  const auto add = [&](const Point& point) {
    if (const auto source = route.source_for(point)) sources.push_back(*source);
  };
  const auto below = route.points_below(own);
  // A regular expression does not tell which of them its URLs are for.
  if (alias.regex != nullptr && !below.empty()) return sources;
  add(own);
  for (const Point& point : below) {
    const bool first = std::ranges::none_of(server_config(s).aliases, [&](const auto* other) {
      return other != &alias && takes(*other, point.url);
    });
    if (first) add(point);
  }
  return sources;
}

}  // namespace pyhost::apache
