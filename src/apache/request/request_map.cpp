#include "apache/request/request_map.h"

#include <fmt/format.h>
#include "apache/access/dispatch.h"
#include "apache/config/config.h"
#include "apache/pool.h"
#include "apache/request/alias.h"
#include "apache/request/environ_builder.h"
#include "apache/request/group_access.h"
#include "apache/request/jail.h"
#include "apache/request/request_names.h"
#include "base/parse.h"
#include "settings/directives.h"

namespace pyhost::apache {
namespace {

using Check = tl::expected<void, Refusal>;

Check refuse(int status, base::Message message, std::string text) {
  return tl::unexpected(Refusal{status, message, std::move(text)});
}

Check refuse_client(int status, base::Message message, std::string text) {
  return tl::unexpected(Refusal{status, message, std::move(text), base::LogLevel::info});
}

// Whether the configuration, and not the URL, says which file it is.
bool names_one_script(const ScriptAlias* alias) {
  return alias != nullptr && alias->regex == nullptr && !alias->target.ends_with('/');
}

// --- May it run? -----------------------------------------------------------------------------

Check check_script(request_rec* r, const ScriptAlias* alias) {
  if (alias != nullptr && alias->kind == gateway::TargetKind::module) return {};
  if (alias == nullptr && (ap_allow_options(r) & OPT_EXECCGI) == 0) {
    return refuse(HTTP_FORBIDDEN, base::Message::exec_cgi_off,
                  fmt::format("{} may not be run: Options ExecCGI is off for it", r->filename));
  }
  if (r->finfo.filetype == APR_NOFILE) {
    const auto answer = names_one_script(alias) ? refuse : refuse_client;
    return answer(HTTP_NOT_FOUND, base::Message::target_missing,
                  fmt::format("the script {} does not exist", r->filename));
  }
  if (r->finfo.filetype == APR_DIR) {
    const auto answer = names_one_script(alias) ? refuse : refuse_client;
    return answer(HTTP_FORBIDDEN, base::Message::target_is_directory,
                  fmt::format("{} is a directory, not a script", r->filename));
  }
  return {};
}

Check check_path_info(const request_rec* r) {
  if (r->used_path_info != AP_REQ_REJECT_PATH_INFO || view_or_empty(r->path_info).empty()) {
    return {};
  }
  return refuse_client(
      HTTP_NOT_FOUND, base::Message::path_info_refused,
      fmt::format("{} accepts nothing behind it in the URL (AcceptPathInfo Off): {}", r->filename,
                  r->path_info));
}

Check check_transfer_encoding(const request_rec* r, const settings::RequestSettings& settings) {
  const char* encoding = apr_table_get(r->headers_in, "Transfer-Encoding");
  if (encoding == nullptr) return {};
  if (!base::equals_ignoring_case(encoding, "chunked")) {
    return refuse_client(
        HTTP_NOT_IMPLEMENTED, base::Message::transfer_encoding_unknown,
        fmt::format("a body in the transfer encoding '{}' cannot be read", encoding));
  }
  if (!*settings.chunked_request) {
    return refuse_client(
        HTTP_LENGTH_REQUIRED, base::Message::chunked_refused,
        fmt::format("{} takes no chunked bodies (WSGIChunkedRequest Off)", r->filename));
  }
  return {};
}

Check check_content_length(const request_rec* r) {
  const char* text = apr_table_get(r->headers_in, "Content-Length");
  if (text == nullptr) return {};
  const auto length = base::parse_unsigned(text);
  if (!length) {
    return refuse_client(HTTP_BAD_REQUEST, base::Message::content_length_invalid,
                         fmt::format("the Content-Length '{}' is not a number", text));
  }
  const apr_off_t limit = ap_get_limit_req_body(r);
  if (limit > 0 && *length > static_cast<std::uint64_t>(limit)) {
    return tl::unexpected(Refusal{HTTP_REQUEST_ENTITY_TOO_LARGE});
  }
  return {};
}

Check check(request_rec* r, const ScriptAlias* alias, const settings::RequestSettings& settings) {
  PH_TRY_VOID(check_script(r, alias));
  PH_TRY_VOID(check_path_info(r));
  PH_TRY_VOID(check_transfer_encoding(r, settings));
  return check_content_length(r);
}

Check check_jail(const request_rec* r, const DaemonGroup& group) {
  if (path_in_jail(&group, r->filename)) return {};
  return refuse(HTTP_INTERNAL_SERVER_ERROR, base::Message::script_outside_jail,
                fmt::format("{} is not below chroot={} of the process group '{}'", r->filename,
                            group.options.chroot, group.options.name));
}

Check check_place(const request_rec* r, const DaemonGroup* group, gateway::TargetKind kind) {
  if (group == nullptr && *process_settings().restrict_embedded) {
    return refuse(
        HTTP_INTERNAL_SERVER_ERROR, base::Message::embedded_restricted,
        fmt::format("{} may not run inside httpd (WSGIRestrictEmbedded On)", r->filename));
  }
  if (group == nullptr || kind == gateway::TargetKind::module) return {};
  PH_TRY_VOID(check_jail(r, *group));
  return check_script_owner(r, *group);
}

gateway::TargetKind kind_of(const ScriptAlias* alias) {
  return alias == nullptr ? gateway::TargetKind::file : alias->kind;
}

// --- What is it? -----------------------------------------------------------------------------

settings::RequestSettings settings_of(const request_rec* r, const ScriptAlias* alias) {
  auto settings = directory_config(r->per_dir_config).request;
  if (alias != nullptr) settings = settings::inherit(alias->settings, settings);
  return settings::inherit(settings, server_config(r->server).request);
}

std::string_view folded(apr_pool_t* pool, std::string_view text) {
  char* copy = apr_pstrmemdup(pool, text.data(), text.size());
  ap_str_tolower(copy);
  return {copy, text.size()};
}

// A group that only serves one application runs it in the main interpreter, where every extension
// module works.
std::string_view default_application_group(const DaemonGroup* group, std::string_view script) {
  const bool alone = group != nullptr && !script.empty() && script == group->only_script;
  return alone ? settings::kGlobalName : "%{RESOURCE}";
}

// What is not seen completely is left to the engine.
base::FileIdentity seen_file(const apr_finfo_t& file) {
  constexpr apr_int32_t kSeen =
      APR_FINFO_IDENT | APR_FINFO_SIZE | APR_FINFO_MTIME | APR_FINFO_CTIME;
  if ((file.valid & kSeen) != kSeen) return base::kNoFile;
  return {.device = file.device,
          .inode = file.inode,
          .bytes = file.size,
          .modified_us = file.mtime,
          .changed_us = file.ctime};
}

gateway::Target target_of(request_rec* r, const ScriptAlias* alias,
                          const settings::RequestSettings& settings, const NameSource& names,
                          const DaemonGroup* group) {
  const bool is_file = kind_of(alias) == gateway::TargetKind::file;
  const std::string_view script = is_file ? std::string_view(r->filename) : alias->target;
  const std::string_view application_group =
      settings.application_group.value_or(default_application_group(group, script));
  return {
      .kind = kind_of(alias),
      .process_group = group == nullptr ? "" : std::string_view(group->options.name),
      .application_group = pool_copy(r->pool, expand_group(application_group, names)),
      .script = is_file ? path_in_jail(group, script).value_or("") : script,
      .callable = expand_callable(*settings.callable_object, names,
                                  *settings::kRequestDefaults.callable_object),
      .reloading = *settings.script_reloading ? gateway::Reloading::on : gateway::Reloading::off,
      .script_file = is_file ? seen_file(r->finfo) : base::kNoFile};
}

}  // namespace

tl::expected<MappedRequest, Refusal> map_request(request_rec* r) {
  const ScriptAlias* alias = find_alias(r);
  auto settings = settings_of(r, alias);
  PH_TRY_VOID(check(r, alias, settings));
  PH_TRY_VOID(dispatch(r, settings));
  const auto script_name = collapse_slashes(r->pool, script_name_of(r));
  const RequestNames names(
      r, *process_settings().case_sensitivity ? script_name : folded(r->pool, script_name));
  PH_TRY(group, group_for(r, expand_group(*settings.process_group, names), settings));
  PH_TRY_VOID(check_place(r, group, kind_of(alias)));
  return MappedRequest{.target = target_of(r, alias, settings, names, group),
                       .group = group,
                       .settings = settings,
                       .script_name = script_name,
                       .path_info = collapse_slashes(r->pool, view_or_empty(r->path_info))};
}

}  // namespace pyhost::apache
