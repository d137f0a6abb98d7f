#include "apache/request/request_run.h"

#include "apache/json_log.h"
#include "apache/pool.h"
#include "apache/process/child_engines.h"
#include "apache/request/request_identity.h"
#include "apache/request/request_record.h"
#include "apache/request/slow_requests.h"
#include "base/clock.h"

namespace pyhost::apache {
namespace {

// What the client has got, where a handler may return a status, or say that all is done.
int status_for_client(const request_rec* r, int returned) noexcept {
  return ap_is_HTTP_VALID_RESPONSE(returned) ? returned : r->status;
}

EnvironInputs inputs_of(const MappedRequest& request) {
  return {.target = &request.target,
          .group = request.group,
          .settings = &request.settings,
          .handler_script = request.handler_script,
          .script_name = request.script_name,
          .path_info = request.path_info};
}

scoreboard::RequestRow row_of(const std::optional<scoreboard::Tally>& tally, base::TimePoint now) {
  return tally ? tally->row_for(now) : scoreboard::RequestRow{};
}

}  // namespace

RequestRun::RequestRun(request_rec* r, const MappedRequest& request)
    : r_(r),
      request_(request),
      inputs_(inputs_of(request)),
      tally_(ChildEngines::of_this_child().tally(request.group)),
      arrived_(base::Clock::now()),
      mark_(row_of(tally_, arrived_)),
      exchange_(r, inputs_, mark_) {
  mark_.describe(view_or_empty(r->method), path_as_sent(r), request_id_of(r));
  exchange_.times().arrived = arrived_;
}

gateway::Outcome RequestRun::run() {
  gateway::Outcome outcome =
      ChildEngines::of_this_child().runner(request_.group).run(request_.target, exchange_);
  // A lease at a worker counts for itself.
  const bool ran_here = request_.group == nullptr && exchange_.times().was_sent();
  if (tally_ && ran_here) tally_->note_busy(base::Clock::now() - exchange_.times().sent);
  return outcome;
}

int RequestRun::finish(const gateway::Outcome& outcome) {
  const int returned = exchange_.finish(outcome);
  exchange_.times().ended = base::Clock::now();
  note(outcome);
  log_if_slow(r_);
  count(status_for_client(r_, returned), outcome, exchange_.body_bytes_read(),
        exchange_.body_bytes_sent());
  return returned;
}

// What is known of its time is that of the handshake: how long a socket stays open says nothing of
// how fast anything is.
void RequestRun::begin_stream() noexcept {
  mark_.end();
  exchange_.times().ended = base::Clock::now();
}

void RequestRun::finish_stream(const gateway::Outcome& outcome, std::uint64_t bytes_from_client,
                               std::uint64_t bytes_to_client) {
  note(outcome);
  log_if_slow(r_);
  count(r_->status, outcome, bytes_from_client, bytes_to_client);
}

void RequestRun::note(const gateway::Outcome& outcome) {
  RequestRecord& record = record_of(r_);
  record.was_run = true;
  record.process_group = request_.target.process_group;
  record.application_group = request_.target.application_group;
  record.times = exchange_.times();
  record.figures = outcome.figures;
  record.worker = exchange_.worker();
}

void RequestRun::count(int status, const gateway::Outcome& outcome, std::uint64_t body_bytes,
                       std::uint64_t reply_bytes) const {
  if (!tally_) return;
  const bool is_stream = status == HTTP_SWITCHING_PROTOCOLS;
  tally_->count({.application_group = request_.target.application_group,
                 .status = status,
                 .failure = is_stream ? outcome.failure : exchange_.failure(outcome),
                 .times = exchange_.times(),
                 .figures = outcome.figures,
                 .body_bytes = body_bytes,
                 .reply_bytes = reply_bytes});
}

}  // namespace pyhost::apache
