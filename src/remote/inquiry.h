// One attempt to have a question answered over one connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "base/clock.h"
#include "pyhost/gateway/client_exchange.h"
#include "pyhost/gateway/question.h"
#include "remote/connection_pool.h"
#include "remote/read_watch.h"
#include "remote/relay.h"
#include "remote/worker_records.h"

namespace pyhost::remote {

// Sends QUESTION and waits for ANSWER, at most until the admission's patience is over. Nothing of
// an answer is believed before it has been checked. Everything it is made with outlives it.
class Inquiry {
 public:
  Inquiry(Admission& admission, PooledConnection& pooled, gateway::ClientCaller& caller,
          const RemoteSettings& settings) noexcept
      : admission_(admission),
        pooled_(pooled),
        read_watch_(admission, pooled),
        records_(caller, settings, pooled.worker),
        settings_(settings) {}

  // The request waits for a worker since `queue_start_us`.
  tl::expected<gateway::Answer, Attempt> run(const gateway::Target& target,
                                             const gateway::Question& question, Resort resort,
                                             std::int64_t queue_start_us);

  // Whether the connection may serve another exchange.
  bool reusable() const noexcept {
    return reusable_ && !read_watch_.cancelled() && pooled_.connection.drained();
  }
  // How many lines of its log were left out.
  std::uint64_t lines_left_out() const noexcept { return records_.lines_left_out(); }
  // Whether the worker itself has logged what went wrong.
  bool failure_told() const noexcept { return records_.failure_told(); }

 private:
  using Step = std::optional<Attempt>;  // nothing: go on

  Step send(const gateway::Target& target, const gateway::Question& question, Resort resort,
            std::int64_t queue_start_us);
  Step take_frames(gateway::QuestionKind kind);
  Step handle(const wire::Frame& frame, gateway::QuestionKind kind);
  Step take_answer(std::string_view payload, gateway::QuestionKind kind);
  Step send_back(std::string_view payload);
  Step end_with_error(std::string_view payload);
  Step receive();
  Step wait();
  Attempt fail(wire::Io outcome);
  static Attempt malformed(std::string what);
  static Attempt not_run(Setback::Kind setback, std::string why);
  Attempt late() const;

  Admission& admission_;
  PooledConnection& pooled_;
  ReadWatch read_watch_;  // of the question
  WorkerRecords records_;
  const RemoteSettings& settings_;
  std::optional<gateway::Answer> answer_;
  bool heard_ = false;
  bool reusable_ = false;
};

}  // namespace pyhost::remote
