// What one request costs on the Python side alone: no httpd, no socket, no contention.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "engine/local_engine.h"

namespace pyhost {
namespace {

constexpr char kHello[] = R"(
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '12')])
    return [b'Hello World\n']
)";

class NullLog final : public base::LogSink {
 public:
  bool wants(base::LogLevel) const noexcept override { return false; }
  void log(base::LogLevel, base::Message, std::string_view) noexcept override {}
};

// A browser's GET; takes every reply and keeps nothing.
class NullExchange final : public gateway::Exchange {
 public:
  NullExchange() {
    constexpr std::pair<const char*, const char*> kEnviron[] = {
        {"REQUEST_METHOD", "GET"},
        {"SCRIPT_NAME", ""},
        {"PATH_INFO", "/"},
        {"QUERY_STRING", ""},
        {"REQUEST_URI", "/"},
        {"REQUEST_SCHEME", "http"},
        {"SERVER_PROTOCOL", "HTTP/1.1"},
        {"SERVER_NAME", "localhost"},
        {"SERVER_PORT", "80"},
        {"SERVER_ADDR", "127.0.0.1"},
        {"SERVER_SOFTWARE", "Apache"},
        {"REMOTE_ADDR", "127.0.0.1"},
        {"REMOTE_PORT", "40000"},
        {"SCRIPT_FILENAME", "/srv/hello.wsgi"},
        {"DOCUMENT_ROOT", "/var/www/html"},
        {"SERVER_ADMIN", "[no address given]"},
        {"HTTP_HOST", "localhost"},
        {"HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"},
        {"HTTP_ACCEPT", "text/html,application/xhtml+xml"},
        {"HTTP_ACCEPT_LANGUAGE", "en"},
        {"HTTP_ACCEPT_ENCODING", "gzip, deflate, br"},
        {"mod_wsgi.process_group", ""},
        {"mod_wsgi.application_group", ""},
        {"mod_wsgi.callable_object", "application"},
        {"mod_wsgi.request_handler", "wsgi-script"},
        {"mod_wsgi.script_name", ""},
        {"mod_wsgi.path_info", "/"}};
    for (const auto& [name, value] : kEnviron) {
      entries_.push_back({gateway::find_environ_key(name), name, value});
    }
    head_.environ = entries_;
  }

  const gateway::RequestHead& head() const noexcept override { return head_; }
  gateway::BodyRead read_body(std::span<char>) noexcept override { return {}; }
  gateway::SendResult send(const gateway::ReplyPart&) noexcept override {
    return gateway::SendResult::sent;
  }
  void send_early_hints(std::span<const gateway::Header>) noexcept override {}
  bool client_gone() noexcept override { return false; }
  bool wants(base::LogLevel) const noexcept override { return false; }
  void log(base::LogLevel, base::Message, std::string_view) noexcept override {}

 private:
  std::vector<gateway::EnvironEntry> entries_;
  gateway::RequestHead head_;
};

gateway::Engine& bench_engine() {
  static NullLog& log = *new NullLog;
  static gateway::Engine& started = *engine::LocalEngine::open({}, log)->release();
  return started;
}

const std::string& hello_script() {
  static const std::string path = [] {
    const auto file = std::filesystem::temp_directory_path() / "pyhost-engine-bench.wsgi";
    std::ofstream(file) << kHello;
    return file.string();
  }();
  return path;
}

void BM_Hello(benchmark::State& state) {
  const gateway::Target target{
      .application_group = "bench", .script = hello_script(), .script_file = {.inode = 1}};
  for (auto _ : state) {
    NullExchange exchange;
    benchmark::DoNotOptimize(bench_engine().run(target, exchange));
  }
}
BENCHMARK(BM_Hello)->ThreadRange(1, 8)->UseRealTime();

void BM_ExchangeAlone(benchmark::State& state) {
  for (auto _ : state) {
    NullExchange exchange;
    benchmark::DoNotOptimize(exchange.head());
  }
}
BENCHMARK(BM_ExchangeAlone);

}  // namespace
}  // namespace pyhost

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  pyhost::bench_engine().stop(std::chrono::seconds(5));
  std::filesystem::remove(pyhost::hello_script());
}
