#include "daemon/group_fixture.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pyhost::test {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

}  // namespace

base::UniqueFd listen_at(const std::string& path) {
  const sockaddr_un address = address_of(path);
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 100), 0);
  return socket;
}

GroupTest::GroupTest() {
  pool_settings_ = {.group = {.name = "blog"},
                    .socket_timeout = kPatience,
                    .httpd_uid = ::getuid(),
                    .targets = {.folders = {"/apps/"}}};
  settings_ = {.group = {.name = "blog", .threads = 1},
               .worker_uid = ::getuid(),
               .socket_timeout = kPatience,
               .temporary_folder = folder_.path()};
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    settings_.socket_paths.push_back(fmt::format("{}/{}.sock", folder_.path(), slot));
  }
}

GroupTest::~GroupTest() = default;

base::UniqueFd GroupTest::declare_worker(std::uint32_t slot, unsigned threads) {
  base::UniqueFd listening = listen_at(settings_.socket_paths[slot]);
  scoreboard_->begin_generation(slot, ::getpid(), 1, threads);
  scoreboard_->set_state(slot, scoreboard::SlotState::ready);
  return listening;
}

void GroupTest::start_worker(std::uint32_t slot, unsigned threads,
                             const std::function<void(int listening)>& adjust) {
  base::UniqueFd listening = declare_worker(slot, threads);
  if (adjust) adjust(listening.get());
  serve_slot(slot, std::move(listening), threads);
}

void GroupTest::serve_slot(std::uint32_t slot, base::UniqueFd listening, unsigned threads) {
  worker::PoolSettings settings = pool_settings_;
  settings.group.threads = threads;
  auto report = std::make_shared<scoreboard::ReportWriter>(scoreboard_.writer(slot, 1));
  settings.on_load = [report](unsigned requests) { report->note_running(requests); };
  auto pool =
      worker::ThreadPool::start(applications_, std::move(listening), settings, worker_log_, [] {});
  ASSERT_TRUE(pool) << pool.error().sentence;
  pools_[slot] = *std::move(pool);
}

wire::Connection GroupTest::connect_to(std::uint32_t slot) const {
  const sockaddr_un address = address_of(settings_.socket_paths[slot]);
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            0);
  return {std::move(socket), wire::Descriptors::refused};
}

remote::RemoteEngine& GroupTest::engine() {
  if (!engine_) {
    engine_ = std::make_unique<remote::RemoteEngine>(
        *scoreboard_, *scoreboard_->add_child(::getpid()), settings_);
  }
  return *engine_;
}

gateway::Outcome GroupTest::run(std::string_view script, FakeExchange& exchange) {
  return engine().run({.process_group = "blog", .script = script}, exchange);
}

}  // namespace pyhost::test
