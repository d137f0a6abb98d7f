// The start and the end of one application in its loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "asgi/awaitable.h"
#include "asgi/lifespan_course.h"
#include "asgi/loop_parts.h"
#include "pyhost/gateway/target.h"
#include "python/error.h"

namespace pyhost::asgi {

// Calls the application with the scope of a lifespan, in a task that lives as long as the loop, and
// has the course of it decided by LifespanCourse. Logs what that comes to, to the server's log.
// Everything is called attached, on the loop's thread. Co-owned by the application's entry and by
// what was made for its call.
class Lifespan final : public std::enable_shared_from_this<Lifespan> {
 public:
  // `on_change` is called whenever the stage may be another. `script` is for the log.
  Lifespan(LoopParts& parts, LifespanUse use, std::string script,
           std::function<void(python::Attached&)> on_change)
      : parts_(parts), course_(use), script_(std::move(script)), on_change_(std::move(on_change)) {}
  Lifespan(const Lifespan&) = delete;
  Lifespan& operator=(const Lifespan&) = delete;

  // PRECONDITION: the stage is `starting`. `state` is the dictionary that it may fill.
  void start(python::Attached& py, PyObject* application, gateway::Protocol protocol,
             PyObject* state);
  void stop(python::Attached& py);
  void patience_is_over(python::Attached& py);

  const LifespanCourse& course() const noexcept { return course_; }
  python::Interpreter& interpreter() const noexcept { return parts_.interpreter; }

  // --- Calls of the application ---

  struct Receive {
    std::shared_ptr<Lifespan> lifespan;

    Progress go_on(python::Ref& value) { return lifespan->receive(value); }
    void give_up() noexcept {}
    static constexpr char kName[] = "mod_wsgi.LifespanReceive";
    static constexpr char kDoc[] = "A call of receive().";
  };
  struct Send {
    std::shared_ptr<Lifespan> lifespan;
    python::Ref event;

    Progress go_on(python::Ref& value) { return lifespan->send(event.get(), value); }
    void give_up() noexcept {}
    static constexpr char kName[] = "mod_wsgi.LifespanSend";
    static constexpr char kDoc[] = "A call of send(event).";
  };
  // Null with an exception pending.
  python::Ref new_receive();
  python::Ref new_send(PyObject* event);
  void task_has_ended(python::Attached& py, PyObject* task);

 private:
  bool start_task(python::Attached& py, PyObject* application, gateway::Protocol protocol,
                  PyObject* state);
  Progress receive(python::Ref& value);
  Progress send(PyObject* event, python::Ref& value);
  python::Ref event_of(const python::Ref& type) const;
  // Has the course go on with `act`, and tells what that has come to. `details` is for the log.
  template <class F>
  void change(python::Attached& py, const std::string& details, F act);
  void log_change(python::Attached& py, const std::string& details) const;

  LoopParts& parts_;
  LifespanCourse course_;
  const std::string script_;
  const std::function<void(python::Attached&)> on_change_;
  Waiters waiters_;
  python::Ref task_;
};

base::Result<> make_lifespan_types(python::Attached& py, LoopParts& parts);

}  // namespace pyhost::asgi
