#include "pyapi/request_record.h"

#include "pyhost/gateway/http_status.h"
#include "python/attached.h"

namespace pyhost::pyapi {
namespace {

using gateway::Outcome;

std::int64_t microseconds(base::Clock::duration time) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

int status_of(const RequestRecord::End& end) noexcept {
  if (end.outcome.kind == Outcome::Kind::refused) return end.outcome.status;
  return end.status != 0 ? end.status : gateway::kInternalServerError;
}

// What the application's part was, if it had one.
void add_application(const python::RequestMeter& meter, std::int64_t arrived_us,
                     CompletedRequest& request) noexcept {
  request[Phase::daemon] = meter.start_us() - arrived_us;
  request[Phase::application] = meter.finish_us() - meter.start_us();
  request[Phase::gil_wait] = microseconds(meter.waits.time());
  request[Phase::input_read] = microseconds(meter.input.time());
  request[Phase::output_write] = microseconds(meter.output.time());
  request.gil_waits = meter.waits.times();
  request.input_bytes = meter.input.bytes();
  request.input_reads = meter.input.times();
  request.output_bytes = meter.output.bytes();
  request.output_writes = meter.output.times();
  request.processor_us = meter.processor_time().total_us();
}

CompletedRequest completed(const RequestRecord::End& end, Place place) noexcept {
  const gateway::RequestHead& head = end.head;
  const bool called = end.meter_or_null != nullptr && end.meter_or_null->started();
  CompletedRequest request{.status = status_of(end)};
  if (called) add_application(*end.meter_or_null, head.worker_start_us, request);
  if (place == Place::worker) {
    request[Phase::server] = head.queue_start_us - head.start_us;
    request[Phase::queue] = head.worker_start_us - head.queue_start_us;
  } else {
    request[Phase::daemon].reset();
    if (called) request[Phase::server] = end.meter_or_null->start_us() - head.start_us;
  }
  const std::int64_t finish_us = called ? end.meter_or_null->finish_us() : base::now_us();
  request[Phase::request] = finish_us - head.start_us;
  return request;
}

}  // namespace

RequestRecord::~RequestRecord() {
  if (!begun_) return;
  recorder_.end(python::current_thread_number(), began_, base::Clock::now(), std::nullopt);
}

bool RequestRecord::enter() {
  began_ = base::Clock::now();
  recorder_.begin(python::current_thread_number(), began_);
  begun_ = true;
  return true;
}

void RequestRecord::end(const End& end, Place place) {
  const bool counts = end.outcome.kind != Outcome::Kind::outdated;
  if (!begun_ || !counts) return;
  begun_ = false;
  recorder_.end(python::current_thread_number(), began_, base::Clock::now(), completed(end, place));
}

}  // namespace pyhost::pyapi
