// A request while an application has it.
#pragma once

#include <cstdint>
#include <optional>

#include "apache/httpd_api.h"
#include "apache/request/environ_builder.h"
#include "apache/request/request_exchange.h"
#include "apache/request/request_map.h"
#include "scoreboard/tally.h"

namespace pyhost::apache {

// Has it run, counts it and notes in its record what it has cost. One thread at a time.
class RequestRun {
 public:
  // What it is made with outlives it.
  RequestRun(request_rec* r, const MappedRequest& request);

  // Once. Where the request becomes the stream of a WebSocket, the exchange then has its tunnel.
  gateway::Outcome run();
  // What is to happen instead of run(), or what that came to; returns what the handler must.
  int finish(const gateway::Outcome& outcome);

  RequestExchange& exchange() noexcept { return exchange_; }
  request_rec* request() const noexcept { return r_; }

  // --- Instead of finish(), for a WebSocket ---
  // It is open: no request that runs any more, however long it stays.
  void begin_stream() noexcept;
  // It is over.
  void finish_stream(const gateway::Outcome& outcome, std::uint64_t bytes_from_client,
                     std::uint64_t bytes_to_client);

 private:
  void note(const gateway::Outcome& outcome);
  void count(int status, const gateway::Outcome& outcome, std::uint64_t body_bytes,
             std::uint64_t reply_bytes) const;

  request_rec* r_;
  const MappedRequest& request_;
  const EnvironInputs inputs_;
  const std::optional<scoreboard::Tally> tally_;
  const base::TimePoint arrived_;
  scoreboard::RunningMark mark_;
  RequestExchange exchange_;
};

}  // namespace pyhost::apache
