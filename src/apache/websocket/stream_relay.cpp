#include "apache/websocket/stream_relay.h"

#include <algorithm>

namespace pyhost::apache {

using gateway::StreamEnding;

StreamRelay::Wants StreamRelay::step(base::TimePoint now) {
  left_over_ = false;
  if (!over_) feed_client(now);
  if (!over_) feed_worker(now);
  if (!over_ && worker_until_ && now >= *worker_until_) end(StreamEnding::worker_late);
  return over_ ? Wants{} : wants();
}

// Nothing is taken from the worker while the client has not taken what came before.
void StreamRelay::feed_client(base::TimePoint now) {
  note_room_of_client(client_.flush(), now);
  std::size_t moved = 0;
  while (!over_ && !client_behind_since_ && moved < kStepBytes) {
    const std::string_view bytes = worker_.look().substr(0, kStepBytes - moved);
    if (bytes.empty()) break;
    const std::size_t taken = client_.send(bytes);
    worker_.consume(taken);
    moved += taken;
    note_room_of_client(client_.flush(), now);
  }
  to_client_ += moved;
  left_over_ = left_over_ || moved >= kStepBytes;
  if (over_ || client_behind_since_) return;
  if (worker_.ended() && worker_.look().empty()) end(StreamEnding::worker);
}

void StreamRelay::feed_worker(base::TimePoint now) {
  if (worker_.ended()) return drop_what_comes();
  worker_room_ = worker_.flush();
  std::size_t moved = 0;
  while (worker_room_ == Room::free && moved < kStepBytes) {
    const std::string_view bytes = client_.look().substr(0, kStepBytes - moved);
    if (bytes.empty()) break;
    const std::size_t taken = worker_.send(bytes);
    client_.consume(taken);
    moved += taken;
    if (taken < bytes.size()) worker_room_ = worker_.flush();
  }
  from_client_ += moved;
  if (worker_room_ == Room::gone) return drop_what_comes();
  left_over_ = left_over_ || moved >= kStepBytes;
  if (!told_end_ && client_.ended() && client_.look().empty()) {
    told_end_ = true;
    worker_.send_end();
    give_worker_until(now + kLastWords);
  }
  if (moved != 0 || told_end_) worker_room_ = worker_.flush();
}

// Nobody wants it any more, but what is left unread would reset the client's connection, and with
// it what the client has not read yet.
void StreamRelay::drop_what_comes() {
  worker_room_ = Room::gone;
  for (std::size_t dropped = 0; dropped < kStepBytes;) {
    const std::string_view bytes = client_.look();
    if (bytes.empty()) return;
    client_.consume(bytes.size());
    dropped += bytes.size();
  }
  left_over_ = true;
}

void StreamRelay::note_room_of_client(Room room, base::TimePoint now) noexcept {
  switch (room) {
    case Room::free:
      client_behind_since_.reset();
      return;
    case Room::none:
      if (!client_behind_since_) client_behind_since_ = now;
      break;
    case Room::gone:
      client_gone_ = true;
      return end(StreamEnding::client_gone);
  }
  const auto patience = worker_.patience();
  if (patience.count() != 0 && now - *client_behind_since_ >= patience) {
    end(StreamEnding::client_slow);
  }
}

void StreamRelay::leave(gateway::Leaving leaving, base::TimePoint now) {
  if (over_ || leaving_) return;
  leaving_ = true;
  worker_.leave(leaving);
  give_worker_until(now + worker_.drain() + kDrainGrace);
}

void StreamRelay::give_worker_until(base::TimePoint moment) noexcept {
  worker_until_ = base::earliest(worker_until_, moment);
}

void StreamRelay::end(StreamEnding ending) noexcept {
  if (!over_) over_ = ending;
}

std::optional<base::TimePoint> StreamRelay::due() const noexcept {
  const auto patience = worker_.patience();
  if (!client_behind_since_ || patience.count() == 0) return worker_until_;
  return base::earliest(worker_until_, *client_behind_since_ + patience);
}

StreamRelay::Wants StreamRelay::wants() const noexcept {
  const bool behind = client_behind_since_.has_value();
  return {.client_in = !client_.ended() && worker_room_ != Room::none,
          .client_out = behind,
          .worker_in = !behind && !worker_.ended(),
          .worker_out = !worker_.ended() && worker_room_ == Room::none,
          .at_once = left_over_};
}

}  // namespace pyhost::apache
