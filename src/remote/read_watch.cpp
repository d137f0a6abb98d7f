#include "remote/read_watch.h"

namespace pyhost::remote {

using wire::Connection;
using wire::Io;

void ReadWatch::begin(base::TimePoint now) noexcept {
  began_ = now;
  due_ = now + Admission::kSilenceAfter;
}

void ReadWatch::see_sign_of_life() {
  due_.reset();
  admission_.note_sign_of_life(pooled_.worker);
}

Io ReadWatch::note(Io received) {
  if (received == Io::done) see_sign_of_life();
  return received;
}

bool ReadWatch::look() {
  if (!pooled_.connection.has_unread()) {
    see_sign_of_life();
    return false;
  }
  const auto now = base::Clock::now();
  due_ = now + kLookInterval;
  if (!admission_.note_silence(pooled_.worker, now - began_)) return false;
  switch (pooled_.connection.cancel()) {
    case Connection::Cancelled::yes:
      return true;
    case Connection::Cancelled::undecided:
      due_.reset();
      cancelled_ = true;
      break;
    case Connection::Cancelled::not_sent:
      break;
  }
  return false;
}

}  // namespace pyhost::remote
