#include "filters/http/router/raw_stream.h"

#include <utility>

namespace sluice::filters::router {

using http::End;
using upstream::ResetReason;

RawStream::RawStream(upstream::Cluster& cluster, upstream::Host& host, upstream::WorkerLocal& local,
                     upstream::PoolRequest& request, const upstream::RawConnection::Client& client)
    : cluster_(cluster),
      host_(host),
      local_(local),
      request_(request),
      client_(client),
      gate_([this](bool open) {
        if (raw_ != nullptr) raw_->want_read(open);
      }),
      soon_(local.loop.timers(), [this] {
        if (raw_ == nullptr) {
          request_.on_no_stream(ResetReason::kOverflow, "");
        } else {
          answer();
        }
      }) {}

void RawStream::start() {
  times_.begin = local_.loop.now();
  raw_ = upstream::RawConnection::connect(cluster_, host_, local_, client_, *this);
  if (raw_ == nullptr) soon_.arm(Duration(0));
}

void RawStream::on_connected() {
  times_.end = local_.loop.now();
  request_.on_stream(*this);
}

void RawStream::on_failed(ResetReason reason, std::string_view details) {
  raw_ = nullptr;
  request_.on_no_stream(reason, details);
}

// The request itself goes no further.
void RawStream::send_headers(const http::RequestHeaders&, End end) {
  soon_.arm(Duration(0));
  if (end == End::kYes) finish();
}

void RawStream::answer() {
  soon_.cancel();
  if (std::exchange(answered_, true)) return;
  Arena& arena = user().response_arena();
  auto* headers = arena.create<http::ResponseHeaders>(arena);
  headers->status = 200;
  user().on_response_headers(*headers, End::kNo);
}

void RawStream::send_data(buffer::Buffer& data, End end) {
  if (raw_ == nullptr) return;
  bytes_.wire_sent += data.size();
  if (!data.empty()) raw_->send(data);
  if (end == End::kYes) finish();
}

void RawStream::finish() {
  if (raw_ != nullptr && !std::exchange(finished_, true)) raw_->finish();
}

void RawStream::on_upstream_data(buffer::Buffer& data) {
  bytes_.wire_received += data.size();
  answer();
  if (raw_ != nullptr) user().on_response_data(data, End::kNo);
}

void RawStream::on_upstream_end() {
  answer();
  upstream::RawConnection* raw = std::exchange(raw_, nullptr);
  if (raw == nullptr) return;
  // Whoever uses it ends it, also when both sides have ended: it would outlive the exchange otherwise.
  raw->close(net::CloseHow::kFin);
  buffer::Buffer nothing(local_.slabs);
  user().on_response_data(nothing, End::kYes);
}

void RawStream::on_lost() {
  raw_ = nullptr;
  soon_.cancel();
  user().on_stream_reset(ResetReason::kConnectionTermination, "");
}

void RawStream::reset() {
  soon_.cancel();
  if (upstream::RawConnection* raw = std::exchange(raw_, nullptr)) raw->close(net::CloseHow::kFin);
}

}  // namespace sluice::filters::router
