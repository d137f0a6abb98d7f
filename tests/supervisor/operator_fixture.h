// A supervisor whose socket for operators is talked to.
#pragma once

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "supervisor/supervisor_fixture.h"

namespace pyhost::test {

class OperatorFixture : public SupervisorFixture {
 protected:
  std::string path() const { return state.operator_socket; }

  base::UniqueFd connect() const {
    base::UniqueFd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path(), address.sun_path);
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto connected = [&] {
      return ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address),
                       sizeof address) == 0;
    };
    EXPECT_TRUE(wait_until(connected));
    return connection;
  }

  static void say(const base::UniqueFd& connection, std::string_view text) {
    ::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }

  // All that comes until the connection ends; "(silence)" when it does not.
  static std::string hear(const base::UniqueFd& connection) {
    std::string answer;
    std::array<char, 4096> buffer;
    ssize_t got = 0;
    while ((got = recv(connection.get(), buffer.data(), buffer.size(), 0)) > 0) {
      answer.append(buffer.data(), got);
    }
    return got < 0 && errno == EAGAIN ? "(silence)" : answer;
  }

  nlohmann::json command(const nlohmann::json& request) const {
    const base::UniqueFd connection = connect();
    say(connection, request.dump() + "\n");
    const std::string answer = hear(connection);
    return nlohmann::json::parse(answer, nullptr, false);
  }
  nlohmann::json command(const char* name, const char* group) const {
    return command({{"command", name}, {"group", group}});
  }
  nlohmann::json group(const char* name) const { return command("status", name)["groups"][0]; }

  // A connection whose peer waits for a group.
  base::UniqueFd begin(const char* name, const char* group) const {
    base::UniqueFd connection = connect();
    say(connection, nlohmann::json{{"command", name}, {"group", group}}.dump() + "\n");
    EXPECT_TRUE(logged("PH0412"));
    return connection;
  }
};

}  // namespace pyhost::test
