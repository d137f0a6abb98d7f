// Engine tests: a real CPython in this process, and a fake exchange instead of httpd.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "harness/fake_exchange.h"
#include "pyhost/gateway/engine.h"

namespace pyhost::test {

// The settings a test binary starts its engine with; each binary defines it once.
gateway::EngineSettings engine_settings();

// The one engine of this process: started at first use, stopped after the last test.
gateway::Engine& engine();

// Whether a sanitizer slows this process down: tests of many requests make fewer.
bool engine_is_sanitized();

// What the engine logged outside any request.
LogRecorder& server_log();

// A script file in a folder of its own, removed with the object.
class Script {
 public:
  explicit Script(std::string_view source);
  ~Script();
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  const std::string& path() const noexcept { return path_; }
  const std::filesystem::path& folder() const noexcept { return folder_; }
  // New contents with a modification time that differs from the last one.
  void rewrite(std::string_view source);

 private:
  std::filesystem::path folder_;
  std::string path_;
  int version_ = 0;
};

// Ends a death test's process: the folders of its scripts go, which destructors would not see to.
[[noreturn]] void leave_process();

// One request's run.
struct Reply {
  std::unique_ptr<FakeExchange> exchange;
  gateway::Outcome outcome;

  bool complete() const { return outcome.kind == gateway::Outcome::Kind::complete; }
  bool broken() const { return outcome.kind == gateway::Outcome::Kind::broken; }
  // The status with which nothing was sent, 0 otherwise.
  int refused() const {
    return outcome.kind == gateway::Outcome::Kind::refused ? outcome.status : 0;
  }
  std::string body() const { return exchange->body(); }
  // What is notable of what was logged, a line a record.
  std::string log() const;
};

// Runs a script's application in an application group.
Reply run(const Script& script, FakeRequest request = {}, std::string_view application_group = "");
Reply run(const gateway::Target& target, FakeRequest request = {});

// The same for a script that is needed only once.
Reply run_source(std::string_view source, FakeRequest request = {},
                 std::string_view application_group = "");

}  // namespace pyhost::test
