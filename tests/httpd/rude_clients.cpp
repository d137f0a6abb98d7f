#include "httpd/rude_clients.h"

#include <string>

namespace pyhost::test {
namespace {

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

std::string post(const std::string& path, std::size_t length, std::string_view sent) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n" +
         std::string(sent);
}

// How a client takes its leave.
using Leave = void (*)(RawConnection&);
void reset(RawConnection& client) {
  client.abort();
}
void close(RawConnection&) {}
void stop_sending(RawConnection& client) {
  client.finish_sending();
}

void leave_after(const Httpd& httpd, const std::string& bytes, Leave leave,
                 const std::string& answer = "") {
  RawConnection client = httpd.connect();
  client.send(bytes);
  if (!answer.empty()) client.read_until(answer);
  leave(client);
}

}  // namespace

void break_off_in_every_phase(const Httpd& httpd) {
  for (const Leave leave : {reset, close, stop_sending}) {
    leave_after(httpd, get("/").substr(0, 10), leave);
    leave_after(httpd, post("/uploads/sum", 1'000'000, ""), leave);
    leave_after(httpd, post("/uploads/sum", 1'000'000, std::string(100'000, 'x')), leave);
    leave_after(httpd, post("/uploads/echo", 10, "short"), leave);
    leave_after(httpd, get("/patience/ticks"), leave);
    leave_after(httpd, get("/patience/ticks"), leave, "tick");
    leave_after(httpd, get("/patience/large?200"), leave, "xxx");
    leave_after(httpd, get("/") + get("/patience/ticks") + get("/"), leave, "well");
    leave_after(httpd, "", leave);
  }
}

}  // namespace pyhost::test
