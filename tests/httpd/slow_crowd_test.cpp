// Many clients that are slow, while others are not.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/slow_clients.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::IsEmpty;

// How slow a client may be is httpd's matter; on a busy machine they are slower than they should
// be.
constexpr char kConfig[] =
    "RequestReadTimeout header=0 body=0\n"
    "MaxKeepAliveRequests 0\n"
    "WSGIDaemonProcess g processes=1 threads=4\n"
    "WSGIProcessGroup g\n"
    "WSGIApplicationGroup %{GLOBAL}\n"
    "WSGIScriptAlias /sum ${APPS}/uploads.wsgi/sum\n"
    "WSGIScriptAlias / ${APPS}/patience.wsgi\n";

constexpr int kClientsOfEachKind = 64;

// The times of requests that come one after the other.
class QuickRequests {
 public:
  QuickRequests(const Httpd& httpd, std::chrono::milliseconds time) {
    HttpClient client = httpd.client();
    const auto end = steady_clock::now() + time;
    do {
      const auto begun = steady_clock::now();
      const Response reply = client.get("/");
      times_.push_back(steady_clock::now() - begun);
      EXPECT_EQ(reply.status, 200) << reply;
    } while (steady_clock::now() < end);
    std::ranges::sort(times_);
  }

  std::size_t number() const noexcept { return times_.size(); }
  std::chrono::microseconds median() const { return quantile(50); }
  // What 99 of 100 take at most.
  std::chrono::microseconds p99() const { return quantile(99); }

 private:
  std::chrono::microseconds quantile(std::size_t percent) const {
    return std::chrono::ceil<std::chrono::microseconds>(times_[times_.size() * percent / 100]);
  }

  std::vector<steady_clock::duration> times_;
};

std::vector<SlowTransfer> slow_transfers(Protocol protocol) {
  std::vector<SlowTransfer> transfers;
  for (int i = 0; i < kClientsOfEachKind; ++i) {
    transfers.push_back({.way = SlowTransfer::Way::upload,
                         .bytes = 100'000,
                         .bytes_per_second = 1000,
                         .protocol = protocol});
    transfers.push_back({.way = SlowTransfer::Way::download,
                         .bytes = 5'000'000,
                         .bytes_per_second = 10'000,
                         .protocol = protocol});
  }
  return transfers;
}

class SlowCrowd : public testing::TestWithParam<Protocol> {};

TEST_P(SlowCrowd, DoesNotHoldUpFastRequestsAndGetsAllItWants) {
  const Httpd httpd(kConfig, {.processes = default_mpm() == Mpm::prefork ? 132 : 1,
                              .threads = 160,
                              .tls = GetParam() == Protocol::http11_tls});
  const std::chrono::milliseconds time = soaking() ? 20s : 2s;
  const QuickRequests alone(httpd, time);
  SlowClients slow(httpd.endpoint(), slow_transfers(GetParam()));
  EXPECT_TRUE(slow.all_have_begun());
  const QuickRequests beside(httpd, time);
  slow.finish();
  EXPECT_THAT(slow.failures(), IsEmpty());
  // One pause of the machine would be among the slowest; a worker that is held up makes all slow.
  EXPECT_LT(beside.median(), 2s);
  RecordProperty("requests", static_cast<int>(beside.number()));
  RecordProperty("p99_us_alone", static_cast<int>(alone.p99().count()));
  RecordProperty("p99_us_beside", static_cast<int>(beside.p99().count()));
}

INSTANTIATE_TEST_SUITE_P(Over, SlowCrowd, testing::Values(Protocol::http11, Protocol::http11_tls),
                         [](const auto& info) {
                           return info.param == Protocol::http11 ? "Tcp" : "Tls";
                         });

}  // namespace
}  // namespace pyhost::test
