#include "apache/request/request_map.h"

#include <fmt/format.h>
#include "apache/access/dispatch.h"
#include "apache/config/config.h"
#include "apache/config/places.h"
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

// What the configuration has found for a request; nothing for a file that is given to our handler.
struct Subject {
  const ScriptAlias* alias;      // or null
  const HandlerScript* handler;  // or null; counts before the alias

  bool is_file() const {
    return handler != nullptr || alias == nullptr || alias->kind == gateway::TargetKind::file;
  }
};

// --- May it run? -----------------------------------------------------------------------------

// With the line of the configuration that leads there.
std::string of_alias(const ScriptAlias* alias_or_null, std::string sentence) {
  return with_place(std::move(sentence), alias_or_null == nullptr ? nullptr : alias_or_null->place);
}

Check check_script(request_rec* r, const ScriptAlias* alias) {
  if (alias != nullptr && alias->kind == gateway::TargetKind::module) return {};
  if (alias == nullptr && (ap_allow_options(r) & OPT_EXECCGI) == 0) {
    return refuse(
        HTTP_FORBIDDEN, base::Message::exec_cgi_off,
        fmt::format("{} may not be run: Options ExecCGI is off for it; add Options +ExecCGI for "
                    "its folder, or map it with WSGIScriptAlias",
                    r->filename));
  }
  if (r->finfo.filetype == APR_NOFILE) {
    const auto answer = names_one_script(alias) ? refuse : refuse_client;
    return answer(
        HTTP_NOT_FOUND, base::Message::target_missing,
        of_alias(alias,
                 fmt::format("the script {} does not exist, or httpd's user may not search a "
                             "folder above it",
                             r->filename)));
  }
  if (r->finfo.filetype == APR_DIR) {
    const auto answer = names_one_script(alias) ? refuse : refuse_client;
    return answer(
        HTTP_FORBIDDEN, base::Message::target_is_directory,
        of_alias(alias, fmt::format("{} is a directory, not a script; map a script, or end the "
                                    "URL with the name of one",
                                    r->filename)));
  }
  return {};
}

Check check_path_info(const request_rec* r) {
  if (r->used_path_info != AP_REQ_REJECT_PATH_INFO || view_or_empty(r->path_info).empty()) {
    return {};
  }
  return refuse_client(
      HTTP_NOT_FOUND, base::Message::path_info_refused,
      fmt::format("{} accepts nothing behind it in the URL (AcceptPathInfo Off), and this one "
                  "has {}; AcceptPathInfo On lets it",
                  r->filename, r->path_info));
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
        fmt::format("{} takes no chunked bodies (WSGIChunkedRequest Off); WSGIChunkedRequest On "
                    "lets it",
                    r->filename));
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

Check check(request_rec* r, const Subject& subject, const settings::RequestSettings& settings) {
  // What a handler script runs for need not be there.
  if (subject.handler == nullptr) PH_TRY_VOID(check_script(r, subject.alias));
  PH_TRY_VOID(check_path_info(r));
  PH_TRY_VOID(check_transfer_encoding(r, settings));
  return check_content_length(r);
}

Check check_jail(const char* script, const DaemonGroup& group) {
  if (path_in_jail(&group, script)) return {};
  return refuse(
      HTTP_INTERNAL_SERVER_ERROR, base::Message::script_outside_jail,
      with_place(fmt::format("{} is not below chroot={} of the process group '{}'; put it there",
                             script, group.options.chroot, group.options.name),
                 group.place));
}

Check check_place(const request_rec* r, const DaemonGroup* group, const Subject& subject) {
  const char* script = subject.handler != nullptr ? subject.handler->script.data() : r->filename;
  if (group == nullptr && *process_settings().restrict_embedded) {
    return refuse(HTTP_INTERNAL_SERVER_ERROR, base::Message::embedded_restricted,
                  fmt::format("{} is for no process group, and httpd's own processes run no Python "
                              "(WSGIRestrictEmbedded On); name one with WSGIProcessGroup",
                              script));
  }
  if (group == nullptr || !subject.is_file()) return {};
  PH_TRY_VOID(check_jail(script, *group));
  return check_script_owner(script, *group);
}

// --- What is it? -----------------------------------------------------------------------------

settings::RequestSettings settings_of(const request_rec* r, const Subject& subject) {
  auto settings = directory_config(r->per_dir_config).request;
  if (subject.alias != nullptr) settings = settings::inherit(subject.alias->settings, settings);
  if (subject.handler != nullptr) settings = settings::inherit(subject.handler->settings, settings);
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

std::string_view script_of(const request_rec* r, const Subject& subject) {
  if (subject.handler != nullptr) return subject.handler->script;
  return subject.is_file() ? std::string_view(r->filename) : subject.alias->target;
}

// What names come to. PRECONDITION: the setting is one of %{ENV:...}.
tl::unexpected<Refusal> refuse_variable(const request_rec* r, const char* directive,
                                        std::string_view name) {
  return tl::unexpected(Refusal{
      HTTP_INTERNAL_SERVER_ERROR, base::Message::variable_unset,
      fmt::format("{} {} for {}: the variable has no value that can be used; it may be a request "
                  "note, set by SetEnv, SetEnvIf or a RewriteRule, or in the environment of httpd, "
                  "and its value no other variable",
                  directive, name, view_or_empty(r->uri))});
}

tl::expected<gateway::Target, Refusal> target_of(request_rec* r, const Subject& subject,
                                                 const settings::RequestSettings& settings,
                                                 const NameSource& names,
                                                 const DaemonGroup* group) {
  const bool is_file = subject.is_file();
  const bool is_handler = subject.handler != nullptr;
  const std::string_view script = script_of(r, subject);
  const std::string_view application_group =
      settings.application_group.value_or(default_application_group(group, script));
  const auto interpreter = expand_group(application_group, names);
  if (!interpreter) return refuse_variable(r, "WSGIApplicationGroup", application_group);
  const auto callable = expand_callable(*settings.callable_object, names);
  if (!callable) return refuse_variable(r, "WSGICallableObject", *settings.callable_object);
  return gateway::Target{
      .kind = is_file ? gateway::TargetKind::file : gateway::TargetKind::module,
      .process_group = group == nullptr ? "" : std::string_view(group->options.name),
      .application_group = pool_copy(r->pool, *interpreter),
      .script = is_file ? path_in_jail(group, script).value_or("") : script,
      .callable = *callable,
      .reloading = *settings.script_reloading ? gateway::Reloading::on : gateway::Reloading::off,
      .script_file = is_file && !is_handler ? seen_file(r->finfo) : base::kNoFile,
      .protocol = settings.interface.value_or(group == nullptr ? gateway::Protocol::wsgi
                                                               : group->options.interface),
      .resource = is_handler ? path_in_jail(group, view_or_empty(r->filename)).value_or("") : ""};
}

}  // namespace

tl::expected<MappedRequest, Refusal> map_request(request_rec* r,
                                                 const HandlerScript* handler_or_null) {
  const Subject subject{.alias = find_alias(r), .handler = handler_or_null};
  auto settings = settings_of(r, subject);
  PH_TRY_VOID(check(r, subject, settings));
  PH_TRY_VOID(dispatch(r, settings));
  const auto script_name = collapse_slashes(r->pool, script_name_of(r));
  // What a handler script runs for, clients choose, and each name is an interpreter.
  const auto resource = handler_or_null != nullptr ? handler_or_null->script : script_name;
  const RequestNames names(
      r, *process_settings().case_sensitivity ? resource : folded(r->pool, resource));
  const auto group_name = expand_group(*settings.process_group, names);
  if (!group_name) return refuse_variable(r, "WSGIProcessGroup", *settings.process_group);
  PH_TRY(group, group_for(r, script_of(r, subject), *group_name, settings));
  PH_TRY_VOID(check_place(r, group, subject));
  PH_TRY(target, target_of(r, subject, settings, names, group));
  return MappedRequest{.target = target,
                       .group = group,
                       .settings = settings,
                       .handler_script = handler_or_null == nullptr ? "" : handler_or_null->script,
                       .script_name = script_name,
                       .path_info = collapse_slashes(r->pool, view_or_empty(r->path_info))};
}

}  // namespace pyhost::apache
