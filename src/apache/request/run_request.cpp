#include "apache/request/run_request.h"

#include <optional>

#include "apache/json_log.h"
#include "apache/pool.h"
#include "apache/process/child_engines.h"
#include "apache/request/environ_builder.h"
#include "apache/request/request_exchange.h"
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

void note(request_rec* r, const MappedRequest& request, const RequestExchange& exchange,
          const gateway::Outcome& outcome) {
  RequestRecord& record = record_of(r);
  record.was_run = true;
  record.process_group = request.target.process_group;
  record.application_group = request.target.application_group;
  record.times = exchange.times();
  record.figures = outcome.figures;
  record.worker = exchange.worker();
}

}  // namespace

int run_request(request_rec* r, const MappedRequest& request) {
  const EnvironInputs inputs{.target = &request.target,
                             .group = request.group,
                             .settings = &request.settings,
                             .handler_script = request.handler_script,
                             .script_name = request.script_name,
                             .path_info = request.path_info};
  ChildEngines& engines = ChildEngines::of_this_child();
  const auto tally = engines.tally(request.group);
  const base::TimePoint arrived = base::Clock::now();
  scoreboard::RunningMark mark(tally ? tally->row_for(arrived) : scoreboard::RequestRow{});
  mark.describe(view_or_empty(r->method), path_as_sent(r), request_id_of(r));
  RequestExchange exchange(r, inputs, mark);
  exchange.times().arrived = arrived;
  const gateway::Outcome outcome = engines.runner(request.group).run(request.target, exchange);
  // A lease at a worker counts for itself.
  const bool ran_here = request.group == nullptr && exchange.times().was_sent();
  if (tally && ran_here) tally->note_busy(base::Clock::now() - exchange.times().sent);
  const int returned = exchange.finish(outcome);
  exchange.times().ended = base::Clock::now();
  note(r, request, exchange, outcome);
  log_if_slow(r);
  if (tally) {
    tally->count({.application_group = request.target.application_group,
                  .status = status_for_client(r, returned),
                  .failure = exchange.failure(outcome),
                  .times = exchange.times(),
                  .figures = outcome.figures,
                  .body_bytes = exchange.body_bytes_read(),
                  .reply_bytes = exchange.body_bytes_sent()});
  }
  return returned;
}

}  // namespace pyhost::apache
