#include "upstream/unary_call.h"

#include <utility>

namespace sluice::upstream {

UnaryCall::UnaryCall(WorkerLocal& local, UnaryUser& user, const CallOptions& options, size_t max_body)
    : loop_(local.loop),
      user_(&user),
      max_body_(max_body),
      call_(new Call(local, static_cast<CallUser&>(*this), options)) {}

void UnaryCall::let_go() {
  user_ = nullptr;
  call_.reset();
  loop_.destroy_later(std::unique_ptr<event::Deferred>(this));
}

void UnaryCall::start(Cluster* cluster, std::string_view body) {
  call_->start(cluster, body.empty() ? http::End::kYes : http::End::kNo);
  if (!body.empty()) {
    call_->send({}, body, http::End::kYes);
  }
}

void UnaryCall::on_call_headers(http::ResponseHeaders& headers, http::End end) {
  headers_ = &headers;
  if (end == http::End::kYes) {
    answered();
  }
}

void UnaryCall::on_call_data(buffer::Buffer& data, http::End end) {
  if (body_.size() + data.size() > max_body_) {
    call_.reset();
    if (UnaryUser* user = std::exchange(user_, nullptr)) user->on_no_answer("the answer is too long");
    return;
  }
  for (; !data.empty(); data.drain(data.front().size())) {
    body_.append(data.front());
  }
  if (end == http::End::kYes) {
    answered();
  }
}

void UnaryCall::answered() {
  if (UnaryUser* user = std::exchange(user_, nullptr)) user->on_answer(*headers_, body_);
}

void UnaryCall::on_call_failed(const CallFailure& failure) {
  if (UnaryUser* user = std::exchange(user_, nullptr)) user->on_no_answer(failure.text());
}

}  // namespace sluice::upstream
