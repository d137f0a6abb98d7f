// A worker that a test plays, frame by frame.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "harness/wait.h"
#include "pyhost/base/unique_fd.h"
#include "wire/connection.h"
#include "wire/messages.h"

namespace pyhost::test {

inline const auto kOwnPid = static_cast<std::uint32_t>(::getpid());

inline void send_text(wire::Connection& connection, std::string_view bytes) {
  wire::FrameBatch batch;
  batch.encoded().append(bytes);
  EXPECT_EQ(connection.write(batch, kPatience), wire::Io::done);
}

// What a worker does with a new connection.
inline wire::Connection accept_as(const wire::HelloMessage& self, int listening) {
  wire::Connection connection(base::UniqueFd(::accept4(listening, nullptr, nullptr, 0)),
                              wire::Descriptors::refused);
  std::string hello;
  wire::encode_hello(self, hello);
  send_text(connection, hello);
  return connection;
}

inline void take_frame(wire::Connection& connection, wire::FrameType type) {
  wire::Frame frame;
  EXPECT_EQ(connection.read_frame(frame, kPatience), wire::Io::done);
  EXPECT_EQ(frame.type, type);
}

inline void take_request(wire::Connection& connection) {
  take_frame(connection, wire::FrameType::greeting);
  take_frame(connection, wire::FrameType::request);
}

// Serves one connection to that socket as `play` says, and closes it.
inline std::thread play_worker(base::UniqueFd listening,
                               std::function<void(wire::Connection&)> play,
                               wire::HelloMessage self = {.pid = kOwnPid, .generation = 1}) {
  return std::thread([listening = std::move(listening), play = std::move(play), self] {
    wire::Connection connection = accept_as(self, listening.get());
    play(connection);
  });
}

}  // namespace pyhost::test
