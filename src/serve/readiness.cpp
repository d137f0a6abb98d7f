#include "serve/readiness.h"

#include <algorithm>
#include <chrono>

#include "control/status_answer.h"

namespace pyhost::serve {
namespace {

using control::OperatorRequest;

constexpr std::chrono::milliseconds kPause{100};

bool is_serving(const base::Result<std::string>& answer, std::string_view group) {
  const auto status =
      answer.and_then([](const std::string& text) { return control::parse_status_answer(text); });
  return status && std::ranges::any_of(status->groups, [&](const auto& each) {
           return each.name == group && each.state == control::kServingState;
         });
}

}  // namespace

void Readiness::begin() {
  if (socket_.empty()) {
    state_ = State::serving;
  } else {
    look_at_ = base::Clock::now();
  }
}

void Readiness::ask() {
  look_at_.reset();
  auto call = GroupCall::begin(socket_, {.command = OperatorRequest::Command::status,
                                         .group = group_,
                                         .waiting = OperatorRequest::Waiting::on});
  if (call) {
    call_ = *std::move(call);
  } else {
    look_at_ = base::Clock::now() + kPause;
  }
}

bool Readiness::reload() {
  if (state_ != State::serving || socket_.empty()) return false;
  auto call = GroupCall::begin(socket_, {.command = OperatorRequest::Command::reload,
                                         .group = group_,
                                         .waiting = OperatorRequest::Waiting::on});
  if (!call) return false;
  call_ = *std::move(call);
  state_ = State::reloading;
  return true;
}

void Readiness::heed_status(const base::Result<std::string>& answer) {
  if (is_serving(answer, group_)) {
    state_ = State::serving;
  } else {
    look_at_ = base::Clock::now() + kPause;
  }
}

void Readiness::heed_reload(const base::Result<std::string>& answer) {
  const auto said = answer ? control::parse_short_answer(*answer) : std::nullopt;
  if (said) {
    outcome_ = *said ? **said : said->error().sentence;
  } else {
    outcome_ = answer ? "pyhost-supervisor's answer is not understood" : answer.error().sentence;
  }
  state_ = State::serving;
}

void Readiness::advance() {
  if (look_at_ && base::Clock::now() >= *look_at_) ask();
  if (!call_) return;
  const auto answer = call_->read_answer();
  if (!answer) return;
  call_.reset();
  if (state_ == State::reloading) {
    heed_reload(*answer);
  } else {
    heed_status(*answer);
  }
}

}  // namespace pyhost::serve
