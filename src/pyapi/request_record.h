// The part of one request in what the recorder counts.
#pragma once

#include "pyapi/place.h"
#include "pyapi/recorder.h"
#include "pyhost/gateway/outcome.h"
#include "pyhost/gateway/request_head.h"
#include "python/request_meter.h"

namespace pyhost::pyapi {

// For a scope of the thread that serves it, whose time counts as busy from begin() on.
class RequestRecord {
 public:
  explicit RequestRecord(Recorder& recorder) noexcept : recorder_(recorder) {}
  RequestRecord(const RequestRecord&) = delete;
  RequestRecord& operator=(const RequestRecord&) = delete;
  // A request that was not said to have ended counts for nothing but the thread's time.
  ~RequestRecord();

  // Where requests are recorded; whether this one is. A second call changes nothing.
  bool begin() { return begun_ || (recorder_.is_started() && enter()); }

  // How it has ended, with what it took as far as its application was called.
  struct End {
    const gateway::RequestHead& head;
    const gateway::Outcome& outcome;
    int status;  // of the response that was started; 0 for none
    const python::RequestMeter* meter_or_null;
  };
  void end(const End& end, Place place);

 private:
  bool enter();

  Recorder& recorder_;
  bool begun_ = false;
  base::TimePoint began_{};
};

}  // namespace pyhost::pyapi
