#include "engine/engine_fixture.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <mutex>
#include <set>

#include "engine/local_engine.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::unique_ptr<gateway::Engine>& the_engine() {
  static std::unique_ptr<gateway::Engine> engine;
  return engine;
}

std::set<fs::path>& script_folders() {
  static auto& folders = *new std::set<fs::path>;
  return folders;
}

class EngineEnvironment final : public ::testing::Environment {
 public:
  void TearDown() override {
    if (!the_engine()) return;
    the_engine()->stop(30s);
    the_engine().reset();
    EXPECT_EQ(server_log().text_of(base::Message::stop_hindered), "");
  }
};

const auto* const registered = ::testing::AddGlobalTestEnvironment(new EngineEnvironment);

}  // namespace

bool engine_is_sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

LogRecorder& server_log() {
  static LogRecorder& recorder = *new LogRecorder;
  return recorder;
}

gateway::Engine& engine() {
  static std::mutex starting;
  const std::lock_guard lock(starting);
  if (!the_engine()) {
    auto started = engine::LocalEngine::open(engine_settings(), server_log());
    if (!started) {
      ADD_FAILURE() << started.error().sentence;
      abort();
    }
    the_engine() = *std::move(started);
  }
  return *the_engine();
}

Script::Script(std::string_view source) {
  std::string pattern = (fs::temp_directory_path() / "pyhost-engine-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  script_folders().insert(folder_);
  path_ = (folder_ / "app.wsgi").string();
  rewrite(source);
}

Script::~Script() {
  script_folders().erase(folder_);
  fs::remove_all(folder_);
}

void leave_process() {
  for (const fs::path& folder : script_folders()) fs::remove_all(folder);
  _exit(0);
}

void Script::rewrite(std::string_view source) {
  std::ofstream(path_, std::ios::trunc) << source;
  fs::last_write_time(path_, fs::last_write_time(path_) + 1s * ++version_);
}

std::string Reply::log() const {
  std::string text;
  for (const LogRecord& record : exchange->recorder().records()) {
    if (is_notable(record)) text += record.text + '\n';
  }
  return text;
}

Reply run(const gateway::Target& target, FakeRequest request) {
  Reply reply{std::make_unique<FakeExchange>(std::move(request)), {}};
  reply.outcome = engine().run(target, *reply.exchange);
  return reply;
}

Reply run(const Script& script, FakeRequest request, std::string_view application_group) {
  return run(gateway::Target{.application_group = application_group, .script = script.path()},
             std::move(request));
}

Reply run_source(std::string_view source, FakeRequest request, std::string_view application_group) {
  const Script script(source);
  return run(script, std::move(request), application_group);
}

}  // namespace pyhost::test
