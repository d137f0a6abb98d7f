#include "apache/request/group_access.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "apache/config/places.h"
#include "apache/config/process_groups.h"
#include "apache/pool.h"
#include "settings/settings.h"

namespace pyhost::apache {
namespace {

using base::Message;

tl::unexpected<Refusal> refuse_group(Message message, std::string text) {
  return tl::unexpected(Refusal{HTTP_INTERNAL_SERVER_ERROR, message, std::move(text)});
}

tl::unexpected<Refusal> forbid(std::string text) {
  return tl::unexpected(Refusal{HTTP_FORBIDDEN, Message::script_owner_refused, std::move(text)});
}

}  // namespace

tl::expected<const DaemonGroup*, Refusal> group_for(const request_rec* r, std::string_view script,
                                                    std::string_view name,
                                                    const settings::RequestSettings& settings) {
  const auto& allowed = settings.restrict_process;
  if (allowed && !allowed->contains(name.empty() ? settings::kGlobalName : name)) {
    return refuse_group(
        Message::process_group_restricted,
        fmt::format(
            "{} may not run in the process group '{}': WSGIRestrictProcess does not have it; "
            "add it there, or name another one with WSGIProcessGroup",
            script, name.empty() ? settings::kGlobalName : name));
  }
  if (name.empty()) return nullptr;
  const DaemonGroup* group = find_process_group(name);
  if (group == nullptr) {
    return refuse_group(Message::process_group_unknown,
                        fmt::format("{}: {}", script, describe_unknown_group(name)));
  }
  if (!may_use(r->server, *group)) {
    return refuse_group(
        Message::process_group_elsewhere,
        with_place(fmt::format("the process group '{}' belongs to the virtual host '{}' and {} to "
                               "'{}'; give both the same ServerName, or define the group in the "
                               "main server",
                               name, view_or_empty(group->server->server_hostname), script,
                               view_or_empty(r->server->server_hostname)),
                   group->place));
  }
  if (group->options.threads == 0) {
    return refuse_group(
        Message::process_group_is_service,
        with_place(fmt::format("the process group '{}' takes no requests (threads=0), so {} cannot "
                               "run there; give the group threads, or name another one with "
                               "WSGIProcessGroup",
                               name, script),
                   group->place));
  }
  return group;
}

tl::expected<void, Refusal> check_script_owner(const char* script, const DaemonGroup& group) {
  const gateway::ScriptOwner& owner = group.script_owner;
  if (!owner.user && !owner.group) return {};
  struct stat file {};
  if (::stat(script, &file) != 0) {
    return forbid(
        fmt::format("the owner of {} cannot be found out: {}", script, std::strerror(errno)));
  }
  const auto checked = gateway::check_owner(owner, script, file);
  if (!checked) return forbid(checked.error().sentence);
  return {};
}

}  // namespace pyhost::apache
