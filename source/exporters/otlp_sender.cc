#include "exporters/otlp_sender.h"

#include <utility>

#include "http/grpc.h"
#include "upstream/unary_call.h"

namespace sluice::exporters {

using http::Token;

namespace {
constexpr Duration kTimeout = std::chrono::seconds(5);  // where the configuration has none: no request stays for ever
constexpr size_t kMaxAnswer = 64 * 1024;
constexpr size_t kSpare = 1024;  // what stands before a message
}  // namespace

// One request. Thread: worker.
class OtlpSender::Open final : public IntrusiveNode<Open>, private upstream::UnaryUser, private upstream::GrpcUser {
 public:
  Open(OtlpSender& sender, uint64_t members) : sender_(sender), members_(members) {}

  void start(std::string_view request) {
    const Collector& collector = sender_.collector_;
    const Duration timeout = collector.timeout.count() > 0 ? collector.timeout : kTimeout;
    const size_t max_queued = request.size() + kSpare;
    if (collector.over == Collector::Over::kGrpc) {
      stream_ = sender_.way_.call(sender_.method_, timeout, max_queued, *this);
      stream_->send(request);
      stream_->finish();
      return;
    }
    upstream::CallOptions options;
    options.timeout = timeout;
    options.max_queued = max_queued;
    options.machine_ip = sender_.proxy_.state.machine_ip;
    call_.reset(new upstream::UnaryCall(sender_.proxy_.local, *this, options, kMaxAnswer));
    http::RequestHeaders& headers = call_->headers();
    headers.method = "POST";
    headers.authority = collector.authority;
    headers.path = collector.path;
    headers.fields.add(Token::kContentType, "application/x-protobuf");
    add_fields(collector, sender_.proxy_.local.loop, headers.fields);
    call_->start(sender_.proxy_.clusters.find(collector.cluster), request);
  }

 private:
  void on_answer(const http::ResponseHeaders& headers, std::string_view) override {
    if (headers.status / 100 != 2) sender_.failed_(members_);
    sender_.over(*this);
  }
  void on_no_answer(std::string_view) override {
    sender_.failed_(members_);
    sender_.over(*this);
  }
  void on_grpc_message(std::string_view) override {}
  void on_grpc_end(uint32_t status, std::string_view) override {
    if (status != http::kGrpcOk) sender_.failed_(members_);
    sender_.over(*this);
  }

  OtlpSender& sender_;
  const uint64_t members_;
  upstream::UnaryCallPtr call_;
  upstream::GrpcCallPtr stream_;
};

OtlpSender::OtlpSender(const Collector& collector, std::string_view method, const proxy::ProxyLocal& proxy,
                       Function<void(uint64_t)> failed)
    : collector_(collector), method_(method), proxy_(proxy), failed_(std::move(failed)), way_(collector, proxy) {}

OtlpSender::~OtlpSender() {
  while (Open* open = open_.front()) over(*open);
}

void OtlpSender::over(Open& open) {
  open.unlink();
  --count_;
  delete &open;
}

bool OtlpSender::can_send() const { return count_ < kMaxOpen && way_.is_there(); }

bool OtlpSender::send(std::string_view request, uint64_t members) {
  if (!can_send()) return false;
  auto* open = new Open(*this, members);
  open_.push_back(*open);
  ++count_;
  open->start(request);
  return true;
}

}  // namespace sluice::exporters
