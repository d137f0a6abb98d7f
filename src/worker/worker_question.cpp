// A question's part of WorkerExchange.

#include <string.h>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "pyhost/gateway/http_status.h"
#include "wire/question_messages.h"
#include "worker/refusal_frame.h"
#include "worker/worker_exchange.h"

namespace pyhost::worker {

using gateway::Outcome;

bool WorkerExchange::begin_question(wire::Connection& connection, std::string_view payload) {
  const Held held = line_.hold();
  payload_.assign(payload);
  connection.wipe();
  auto message = wire::decode_question(payload_, environ_);
  if (!message) {
    ::explicit_bzero(payload_.data(), payload_.size());
    return false;
  }
  request_ = {.target = message->target, .last_resort = message->last_resort};
  question_ = message->question;
  question_.head.worker_start_us = base::now_us();
  line_.begin(held, connection, request_.target.script);
  on_end_ = {};
  arrived_ = {};
  body_follows_ = false;
  reset_request();
  return true;
}

Connected WorkerExchange::finish_question(const gateway::AskResult& answer) noexcept {
  clock_.end(base::Clock::now(), !question_.head.ignores_activity);
  const Connected told = base::unless_out_of_memory([&] { return tell_answer(answer); },
                                                    [this] {
                                                      give_up_for_memory();
                                                      return Connected::close;
                                                    });
  const Held held = line_.hold();
  question_ = {};
  request_ = {};
  ::explicit_bzero(payload_.data(), payload_.size());
  payload_.clear();
  return told;
}

Connected WorkerExchange::tell_answer(const gateway::AskResult& answer) {
  announce_reply();
  const Held held = line_.hold();
  if (line_.is_lost(held)) return Connected::close;
  std::string& frame = line_.batch(held).encoded();
  const bool encoded = answer && wire::encode_answer(*answer, frame);
  if (!encoded) {
    const Outcome too_large{Outcome::Kind::refused, gateway::kInternalServerError};
    const Outcome& outcome = answer ? too_large : answer.error();
    encode_refusal({.outcome = outcome,
                    .status = outcome.status,
                    .cause = "the hook script failed",
                    .failure = outcome.failure,
                    .last_resort = request_.last_resort},
                   frame);
  }
  return line_.flush(held) ? Connected::reuse : Connected::close;
}

}  // namespace pyhost::worker
