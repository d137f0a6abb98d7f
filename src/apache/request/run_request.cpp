#include "apache/request/run_request.h"

#include "apache/process/child_engines.h"
#include "apache/request/environ_builder.h"
#include "apache/request/request_exchange.h"
#include "apache/request/request_record.h"
#include "base/clock.h"

namespace pyhost::apache {
namespace {

void note(request_rec* r, const MappedRequest& request, const RequestExchange& exchange,
          const gateway::Outcome& outcome) {
  RequestRecord& record = record_of(r);
  record.was_run = true;
  record.process_group = request.target.process_group;
  record.application_group = request.target.application_group;
  record.times = exchange.times();
  record.figures = outcome.figures;
}

}  // namespace

int run_request(request_rec* r, const MappedRequest& request) {
  const EnvironInputs inputs{.target = &request.target,
                             .group = request.group,
                             .settings = &request.settings,
                             .handler_script = request.handler_script,
                             .script_name = request.script_name,
                             .path_info = request.path_info};
  RequestExchange exchange(r, inputs);
  exchange.times().arrived = base::Clock::now();
  gateway::ClientRunner& runner = ChildEngines::of_this_child().runner(request.group);
  const gateway::Outcome outcome = runner.run(request.target, exchange);
  const int returned = exchange.finish(outcome);
  exchange.times().ended = base::Clock::now();
  note(r, request, exchange, outcome);
  return returned;
}

}  // namespace pyhost::apache
