#include "apache/access/ask.h"

#include <fmt/format.h>

#include "apache/log.h"
#include "apache/log_levels.h"
#include "apache/pool.h"
#include "apache/process/child_engines.h"
#include "apache/request/environ_builder.h"
#include "apache/request/group_access.h"
#include "apache/request/jail.h"
#include "apache/request/request_names.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using gateway::AskResult;
using gateway::ClientSocket;
using gateway::ClientState;
using gateway::Outcome;
using gateway::QuestionKind;

// The client is only looked at: an answer comes soon, or not at all.
class RequestCaller final : public gateway::ClientCaller {
 public:
  RequestCaller(request_rec* r, std::chrono::milliseconds patience) noexcept
      : r_(r), patience_(patience) {}

  bool wants(LogLevel level) const noexcept override { return keeps(r_, level); }
  void log(LogLevel level, base::Message message, std::string_view text) noexcept override {
    log_request(r_, level, message, text);
  }
  void log_application(const base::ApplicationRecord& record) noexcept override {
    log_request(r_, record);
  }
  // httpd closes the connections of a child that is told to stop at once.
  ClientSocket client_socket() const noexcept override {
    const bool has_own = r_->connection->master == nullptr;
    apr_socket_t* connection = has_own ? ap_get_conn_socket(r_->connection) : nullptr;
    apr_os_sock_t socket = -1;
    if (connection != nullptr) apr_os_sock_get(&socket, connection);
    const bool closed = has_own && socket < 0;
    return {.kind = closed ? ClientSocket::Kind::closed : ClientSocket::Kind::shared};
  }
  ClientState client_state() noexcept override {
    const bool gone =
        r_->connection->aborted != 0 || client_socket().kind == ClientSocket::Kind::closed;
    return gone ? ClientState::gone : ClientState::ready;
  }
  std::chrono::milliseconds patience() const noexcept override { return patience_; }

 private:
  request_rec* r_;
  const std::chrono::milliseconds patience_;
};

AskResult refuse(const request_rec* r, const Refusal& refusal) {
  log_request(r, refusal.level, refusal.message, refusal.text);
  return tl::unexpected(Outcome{Outcome::Kind::refused, HTTP_INTERNAL_SERVER_ERROR});
}

// Null for httpd's own process.
tl::expected<const DaemonGroup*, Refusal> place_of_hook(const request_rec* r,
                                                        const HookScript& hook) {
  if (!hook.process_group.empty()) return group_for(r, hook.script, hook.process_group, {});
  if (!*process_settings().restrict_embedded) return nullptr;
  return tl::unexpected(
      Refusal{HTTP_INTERNAL_SERVER_ERROR, base::Message::embedded_restricted,
              fmt::format("{}: httpd's own processes run no Python (WSGIRestrictEmbedded On); add "
                          "process-group=",
                          hook.written)});
}

// Who decides about credentials gets them from httpd, but who finds out whose they are sees them.
Credentials credentials_for(QuestionKind kind) noexcept {
  switch (kind) {
    case QuestionKind::authn:
      return Credentials::passed;
    case QuestionKind::dispatch:
      return Credentials::as_configured;
    default:
      return Credentials::hidden;
  }
}

// `pyhost check` leads requests through httpd's hooks where nothing is started: what a script would
// say is left open there. Nobody gets anything by that.
AskResult answer_without_engines() {
  if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
    gateway::Answer answer{.kind = gateway::Answer::Kind::none};
    answer.items.resize(gateway::kDispatchItems);
    return answer;
  }
  return tl::unexpected(Outcome{Outcome::Kind::refused, HTTP_INTERNAL_SERVER_ERROR});
}

}  // namespace

const HookScript* hook_for(const request_rec* r, settings::Hook hook) {
  const HookScript* own = hook_or_null(directory_config(r->per_dir_config).hooks, hook);
  if (own != nullptr || hook != settings::Hook::dispatch) return own;
  return hook_or_null(server_config(r->server).hooks, hook);
}

AskResult ask(request_rec* r, const HookScript& hook, QuestionKind kind, std::string_view subject,
              std::string_view secret) {
  const auto group = place_of_hook(r, hook);
  if (!group) return refuse(r, group.error());
  const auto settings = settings::inherit(directory_config(r->per_dir_config).request,
                                          server_config(r->server).request);
  const auto script_name = collapse_slashes(r->pool, script_name_of(r));
  const bool is_file = hook.kind == gateway::TargetKind::file;
  // No name of a hook script's interpreter is made of a variable.
  const auto interpreter =
      expand_group(hook.application_group, RequestNames(r, script_name)).value_or("");
  const gateway::Target target{
      .kind = hook.kind,
      .process_group = hook.process_group,
      .application_group = pool_copy(r->pool, interpreter),
      .script = is_file ? path_in_jail(*group, hook.script).value_or("") : hook.script,
      .callable = hook.callable,
      .reloading = *settings.script_reloading ? gateway::Reloading::on : gateway::Reloading::off};
  const EnvironInputs inputs{.target = &target,
                             .group = *group,
                             .settings = &settings,
                             .script_name = script_name,
                             .path_info = collapse_slashes(r->pool, view_or_empty(r->path_info)),
                             .credentials = credentials_for(kind)};
  const gateway::Question question{
      .kind = kind, .head = build_request_head(r, inputs), .subject = subject, .secret = secret};
  RequestCaller caller(r, hook.timeout);
  ChildEngines* engines = ChildEngines::of_this_child_or_null();
  if (engines == nullptr) return answer_without_engines();
  if (const auto tally = engines->tally(*group)) tally->count_question(kind);
  return engines->runner(*group).ask(target, question, caller);
}

}  // namespace pyhost::apache
