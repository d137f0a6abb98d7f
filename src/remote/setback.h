// Why a worker has not run a request.
#pragma once

#include <string>

namespace pyhost::remote {

// The application has not been entered, so the request may go to another worker.
struct Setback {
  enum class Kind {
    unreachable,  // the worker cannot be reached, nor later: only its successor is asked again
    hindered,     // not for the moment, which is nothing against the worker: it is being replaced,
                  // as it has said by sending the request back, or there is no connection just now
    left,         // the worker is not in its slot any more, or about to leave it
    silent,       // the worker does not take what it was sent, and there is another one
    lacking,      // the worker cannot run this script, as it has said
    foreign,      // the worker is of another build, as all of its group may be: nobody is asked
    client_gone,  // nobody wants the request to be run
  };
  Kind kind = Kind::unreachable;
  std::string why;  // appears in a refusal
};

}  // namespace pyhost::remote
