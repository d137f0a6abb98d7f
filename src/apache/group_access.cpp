#include "apache/group_access.h"

#include <fmt/format.h>

#include "apache/pool.h"
#include "apache/process_groups.h"

namespace pyhost::apache {
namespace {

using base::Message;

tl::unexpected<Refusal> refuse(Message message, std::string text) {
  return tl::unexpected(Refusal{HTTP_INTERNAL_SERVER_ERROR, message, std::move(text)});
}

tl::unexpected<Refusal> forbid(std::string text) {
  return tl::unexpected(Refusal{HTTP_FORBIDDEN, Message::script_owner_refused, std::move(text)});
}

// What is wrong with who owns a file or folder, or who may write to it; "" when nothing is.
std::string fault_of(const apr_finfo_t& info, const DaemonGroup& group) {
  constexpr apr_int32_t kNeeded = APR_FINFO_OWNER | APR_FINFO_PROT;
  if ((info.valid & kNeeded) != kNeeded) return "has an owner that cannot be found out";
  if (group.script_uid && info.user != *group.script_uid) {
    return fmt::format("is not owned by script-user={}", group.options.script_user);
  }
  if (group.script_gid && info.group != *group.script_gid) {
    return fmt::format("does not belong to script-group={}", group.options.script_group);
  }
  if ((info.protection & APR_FPROT_WWRITE) != 0) return "can be written to by everybody";
  if (group.script_uid && (info.protection & APR_FPROT_GWRITE) != 0) {
    return "can be written to by its group";
  }
  return "";
}

}  // namespace

tl::expected<const DaemonGroup*, Refusal> group_for(const request_rec* r, std::string_view name,
                                                    const gateway::RequestSettings& settings) {
  const auto& allowed = settings.restrict_process;
  if (allowed && !allowed->contains(name.empty() ? "%{GLOBAL}" : name)) {
    return refuse(Message::process_group_restricted,
                  fmt::format("{} may not run in the process group '{}' (WSGIRestrictProcess)",
                              r->filename, name.empty() ? "%{GLOBAL}" : name));
  }
  if (name.empty()) return nullptr;
  const DaemonGroup* group = find_process_group(name);
  if (group == nullptr) {
    return refuse(Message::process_group_unknown,
                  fmt::format("there is no process group '{}' for {}; define it with "
                              "WSGIDaemonProcess",
                              name, r->filename));
  }
  if (!may_use(r->server, *group)) {
    return refuse(Message::process_group_elsewhere,
                  fmt::format("the process group '{}' belongs to the virtual host '{}' and {} to "
                              "'{}'; give both the same ServerName, or define the group in the "
                              "main server",
                              name, view_or_empty(group->server->server_hostname), r->filename,
                              view_or_empty(r->server->server_hostname)));
  }
  if (group->options.threads == 0) {
    return refuse(Message::process_group_is_service,
                  fmt::format("the process group '{}' takes no requests (threads=0), so {} cannot "
                              "run there",
                              name, r->filename));
  }
  return group;
}

tl::expected<void, Refusal> check_script_owner(const request_rec* r, const DaemonGroup& group) {
  if (!group.script_uid && !group.script_gid) return {};
  if (const auto fault = fault_of(r->finfo, group); !fault.empty()) {
    return forbid(fmt::format("{} {}", r->filename, fault));
  }
  const char* folder = ap_make_dirstr_parent(r->pool, r->filename);
  apr_finfo_t info{};
  apr_stat(&info, folder, APR_FINFO_OWNER | APR_FINFO_PROT, r->pool);
  if (const auto fault = fault_of(info, group); !fault.empty()) {
    return forbid(fmt::format("the folder {} {}", folder, fault));
  }
  return {};
}

}  // namespace pyhost::apache
