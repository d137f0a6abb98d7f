// One WebSocket while an ASGI application serves it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "asgi/exchange.h"
#include "asgi/socket_inbox.h"
#include "asgi/web_socket_events.h"
#include "pyhost/gateway/event_loops.h"
#include "websocket/deflate_offer.h"
#include "websocket/deflater.h"
#include "websocket/frame_writer.h"
#include "websocket/message_reader.h"
#include "websocket/ping_course.h"
#include "websocket/socket_course.h"

namespace pyhost::asgi {

// An exchange with a scope of the type websocket (ASGI WebSocket). Until the application has
// accepted, it is a request that can be answered otherwise; from then on its channel is a stream,
// which may end before the application's task, or after it.
class WebSocketExchange final : public Exchange {
 public:
  // As Exchange's; the settings live as long.
  WebSocketExchange(LoopParts& parts, ExchangeHost& host, gateway::Channel& channel,
                    const gateway::WebSockets& settings);

  void body_has_come(python::Attached& py) override { read(py); }
  void has_room(python::Attached& py) override;
  void client_has_left(python::Attached& py) override;
  void leave(python::Attached& py, gateway::Leaving why, base::TimePoint moment) override;
  void moment_has_come(python::Attached& py, base::TimePoint now) override;
  void cancel(python::Attached& py, Cancelling why) override;
  bool has_replied() const noexcept override { return course_.stage() == Stage::ended; }
  bool committed() const noexcept override { return accepted_ || Exchange::committed(); }

 private:
  using Stage = websocket::SocketCourse::Stage;

  // A message of the application, of which a part has left.
  struct Outgoing {
    std::uint64_t number;
    SocketMessage message;
    std::string deflated;
    websocket::MessageFrames frames;
  };

  python::Ref make_scope(python::Attached& py) override;
  Progress receive(python::Ref& value) override;
  Progress send(Send& call, python::Ref& value) override;
  void reply_has_ended() override { course_.refuse(); }
  gateway::Outcome failed(int status, gateway::FailureCause cause) const noexcept override;
  bool is_told_by(const python::PythonError& error) const override;
  void end(python::Attached& py, TaskEnd how, const gateway::Outcome& outcome) override;

  // --- What the application sends ---
  Progress go_on(const Send& call, python::Ref& value);
  bool take_event(python::Attached& py, Send& call);
  bool take_accept(python::Attached& py, PyObject* event);
  bool take_message(python::Attached& py, Send& call);
  bool take_close(python::Attached& py, PyObject* event);
  bool take_denial(python::Attached& py, PyObject* event, bool is_start);
  bool is_to_answer(const char* type) const;
  bool is_to_be_open(const char* type) const;
  Progress raise_closed() const;
  void agree_on_deflate(ResponseStart& accept);
  void open(python::Attached& py, ResponseStart accept);
  std::string deflated(python::Attached& py, std::string_view payload);
  void send_frames(python::Attached& py);

  // --- What the client sends ---
  void read(python::Attached& py);
  void read_on(python::Attached& py);
  void lack_memory(python::Attached& py);
  bool reads_on(python::Attached& py);
  bool find_unread(python::Attached& py);
  void keep_unread();
  websocket::MessageReader::Event next_event(python::Attached& py);
  void act(python::Attached& py, const websocket::MessageReader::Event& event);
  void pong(python::Attached& py, std::string_view payload);

  // --- The end ---
  void carry_out(python::Attached& py, const websocket::SocketCourse::Step& step);
  void note_close() noexcept;
  void end_stream(python::Attached& py, std::string_view frame);
  void end_stream_at_once(python::Attached& py);
  void give_up_client(python::Attached& py, const websocket::SocketCourse::Step& step);
  void send_bytes(python::Attached& py, std::string_view frame);
  void look_for_life(python::Attached& py, base::TimePoint now);
  void finish_if_over(python::Attached& py);

  const gateway::WebSockets& settings_;
  websocket::SocketCourse course_;
  bool connect_told_ = false;
  bool accepted_ = false;
  bool stream_ended_ = false;  // nothing may be offered any more
  std::optional<gateway::Outcome> task_outcome_;

  // Moments that were asked for.
  std::optional<base::TimePoint> answer_by_, close_by_, leave_at_;
  gateway::Leaving leaving_{};
  std::optional<websocket::PingCourse> pings_;

  // From the client:
  std::optional<websocket::MessageReader> reader_;
  std::string_view unread_;  // of what was taken of the channel
  std::string kept_;         // holds it, when it was not read on
  bool is_reading_ = false;
  bool is_paused_ = false;
  SocketInbox inbox_;

  // To the client:
  std::optional<websocket::Deflater> deflater_;
  std::optional<Outgoing> outgoing_;
  std::uint64_t last_number_ = 0;
  std::optional<std::string> owed_pong_;  // of the last Ping, when there is room
};

}  // namespace pyhost::asgi
