// UnaryCall: a call with a whole body that waits for a whole answer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "upstream/call.h"

namespace sluice::upstream {

// Exactly one of them is called, never inside start(); the call may be let go inside. Thread: its call's.
class UnaryUser {
 public:
  virtual void on_answer(const http::ResponseHeaders& headers, std::string_view body) = 0;
  virtual void on_no_answer(std::string_view why) = 0;

 protected:
  ~UnaryUser() = default;
};

// Ends with its owner: `UnaryCallPtr`. Thread: worker or main.
class UnaryCall final : public event::Deferred, private CallUser {
 public:
  // An answer of more than `max_body` bytes is none.
  UnaryCall(WorkerLocal& local, UnaryUser& user, const CallOptions& options, size_t max_body);

  // To be filled before start().
  http::RequestHeaders& headers() { return call_->headers(); }
  void start(Cluster* cluster, std::string_view body);
  // For UnaryCallPtr.
  void let_go();

 private:
  // CallUser
  void on_call_headers(http::ResponseHeaders& headers, http::End end) override;
  void on_call_data(buffer::Buffer& data, http::End end) override;
  void on_call_trailers(http::HeaderMap&) override { answered(); }
  void on_call_failed(const CallFailure& failure) override;

  void answered();

  event::Loop& loop_;
  UnaryUser* user_;  // null: let go, or told
  const size_t max_body_;
  CallPtr call_;
  const http::ResponseHeaders* headers_ = nullptr;
  std::string body_;
};

using UnaryCallPtr = std::unique_ptr<UnaryCall, LetGo>;

}  // namespace sluice::upstream
