// A worker that has no descriptor left for a connection.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <ctime>
#include <thread>

#include "daemon/group_fixture.h"

namespace pyhost::test {
namespace {

using base::Message;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

// While it lives, the process gets no descriptor with that number or a higher one.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t descriptors) {
    getrlimit(RLIMIT_NOFILE, &own_);
    const rlimit lower{.rlim_cur = descriptors, .rlim_max = own_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &own_); }

 private:
  rlimit own_{};
};

// Whatever the limit leaves.
class AllDescriptors {
 public:
  AllDescriptors() {
    base::UniqueFd file;
    while (file.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC)), file.valid()) {
      files_.push_back(std::move(file));
    }
  }

 private:
  std::vector<base::UniqueFd> files_;
};

class NoDescriptors : public GroupTest {
 protected:
  NoDescriptors() { start_worker(0, 2); }

  // Somebody who waits until the pool accepts connections again.
  wire::Connection connect_in_vain() {
    pool(0).accept_connections(false);
    return connect_to(0);
  }
};

bool is_served(wire::Connection& connection) {
  wire::Frame frame;
  return connection.read_frame(frame, kPatience) == wire::Io::done &&
         frame.type == wire::FrameType::hello;
}

TEST_F(NoDescriptors, RefuseAConnection) {
  wire::Connection child = connect_in_vain();
  const DescriptorLimit limit(128);
  const AllDescriptors all;
  pool(0).accept_connections(true);
  wire::Frame frame;
  EXPECT_EQ(child.read_frame(frame, kPatience), wire::Io::closed);
  EXPECT_TRUE(wait_until([&] {
    return worker_log_.text_of(Message::descriptors_exhausted).find("was refused") !=
           std::string::npos;
  }));
}

// As when other threads have taken the descriptor that is kept for refusing.
TEST_F(NoDescriptors, LetAConnectionWaitThatCannotBeRefused) {
  wire::Connection child = connect_in_vain();
  {
    const DescriptorLimit none(3);
    pool(0).accept_connections(true);
    EXPECT_TRUE(wait_until([&] { return worker_log_.text() != ""; }));
    const auto wall_start = std::chrono::steady_clock::now();
    const std::clock_t processor_start = std::clock();
    std::this_thread::sleep_for(500ms);
    const double processor_seconds = double(std::clock() - processor_start) / CLOCKS_PER_SEC;
    // A busy machine makes only the second one longer.
    EXPECT_LT(processor_seconds * 1s, (std::chrono::steady_clock::now() - wall_start) / 2);
  }
  EXPECT_TRUE(is_served(child));
  EXPECT_EQ(worker_log_.records().size(), 1u);
  EXPECT_THAT(worker_log_.text_of(Message::descriptors_exhausted), HasSubstr("has to wait"));
}

TEST_F(NoDescriptors, RefuseAConnectionAlsoAfterOneHadToWait) {
  wire::Connection first = connect_in_vain();
  {
    const DescriptorLimit none(3);
    pool(0).accept_connections(true);
    EXPECT_TRUE(wait_until([&] { return worker_log_.text() != ""; }));
  }
  EXPECT_TRUE(is_served(first));
  wire::Connection second = connect_in_vain();
  const DescriptorLimit limit(128);
  const AllDescriptors all;
  pool(0).accept_connections(true);
  wire::Frame frame;
  EXPECT_EQ(second.read_frame(frame, kPatience), wire::Io::closed);
}

}  // namespace
}  // namespace pyhost::test
