#include "apache/config/preloads.h"

#include <ap_listen.h>
#include <fmt/format.h>

#include <set>
#include <string>

#include "apache/config/config.h"
#include "apache/config/group_names.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

// Names for the requests of a server that are still to come.
class FutureNames final : public NameSource {
 public:
  FutureNames(const server_rec* s, std::string_view host, std::string_view script_name)
      : s_(s), host_(host), script_name_(script_name) {}

  std::string_view server_name() const override { return view_or_empty(s_->server_hostname); }
  std::string_view host_name() const override { return host_; }
  unsigned port() const override {
    if (s_->port != 0 || ap_listeners == nullptr) return s_->port;
    return ap_listeners->bind_addr->port;
  }
  std::string_view script_name() const override { return script_name_; }
  std::optional<std::string_view> variable(std::string_view) const override { return std::nullopt; }

 private:
  const server_rec* s_;
  std::string_view host_;
  std::string_view script_name_;
};

// The names of a server's requests, but for those that a wildcard allows.
std::vector<std::string_view> hosts_of(const server_rec* s) {
  std::vector<std::string_view> hosts{view_or_empty(s->server_hostname)};
  if (s->names == nullptr) return hosts;
  for (int i = 0; i < s->names->nelts; ++i) {
    hosts.push_back(view_or_empty(APR_ARRAY_IDX(s->names, i, const char*)));
  }
  return hosts;
}

// Where the aliases of a server mount the script.
std::vector<std::string> mounts_of(const server_rec* s, const Preload& script) {
  std::vector<std::string> mounts;
  for (const ScriptAlias* alias : server_config(s).aliases) {
    const bool same = alias->kind == script.import.kind && alias->target == script.import.script;
    if (!same || !alias->path.starts_with('/')) continue;
    std::string mount(alias->path);
    while (mount.ends_with('/')) mount.pop_back();
    if (!*process_settings().case_sensitivity) ap_str_tolower(mount.data());
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::set<std::string> names_for(const server_rec* s, const Preload& script) {
  const std::string_view token = script.import.application_group;
  std::set<std::string> names;
  if (token == "%{RESOURCE}") {
    for (const std::string& mount : mounts_of(s, script)) {
      names.insert(expand_group(token, FutureNames(s, "", mount)).value());
    }
  } else if (token == "%{SERVER}" || token == "%{HOST}") {
    for (const std::string_view host : hosts_of(s)) {
      names.insert(expand_group(token, FutureNames(s, host, "")).value());
    }
  }
  return names;
}

void note_without_name(const server_rec* s, const Preload& script, Findings& findings) {
  findings.add(s, Severity::advice, base::Message::directive_inert,
               {fmt::format("{} has no effect: which application group that is only a request can "
                            "tell; the first one imports the script",
                            script.written)},
               script.place);
}

}  // namespace

std::vector<gateway::Script> preloads_of(const server_rec* s, std::string_view group) {
  std::vector<gateway::Script> preloads;
  for (; s != nullptr; s = s->next) {
    if (!has_own_config(s)) continue;
    for (const Preload& script : server_config(s).preloads) {
      if (script.process_group == group) preloads.push_back(script.import);
    }
  }
  return preloads;
}

void expand_preloads(server_rec* s, Findings& findings) {
  std::vector<Preload> expanded;
  for (const Preload& script : server_config(s).preloads) {
    if (!script.import.application_group.starts_with("%{")) {
      expanded.push_back(script);
      continue;
    }
    const auto names = names_for(s, script);
    if (names.empty()) note_without_name(s, script, findings);
    for (const std::string& name : names) {
      Preload named = script;
      named.import.application_group = name;
      expanded.push_back(named);
    }
  }
  server_config(s).preloads = std::move(expanded);
}

}  // namespace pyhost::apache
