#include "xds/link.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "base/varint.h"

namespace sluice::xds {
namespace {

std::string as_field(uint32_t number, std::string_view bytes) {
  std::string out;
  append_field(out, number, bytes);
  return out;
}

// Refills in whole tokens for each so many nanoseconds.
TokenBucket::Plan bucket_of(const Options::RateLimit& limit) {
  const double rate = std::clamp(limit.fill_rate, 1e-6, 1e6);
  return {std::max(limit.max_tokens, 1u), 1, Duration(static_cast<int64_t>(1e9 / rate))};
}

}  // namespace

Link::Link(event::Loop& loop, Random& random, AdsTransport& transport, const Options& options, Numbers& numbers,
           std::string path, uint32_t node_field, Owner& owner)
    : loop_(loop),
      random_(random),
      transport_(transport),
      options_(options),
      numbers_(numbers),
      path_(std::move(path)),
      node_(as_field(node_field, options.node)),
      owner_(owner),
      next_back_off_(options.back_off_base),
      retry_(loop.timers(), [this] { open(); }),
      token_(loop.timers(), [this] { owner_.on_may_send(); }) {
  if (options.rate_limit) {
    tokens_.emplace(bucket_of(*options.rate_limit));
  }
}

Link::~Link() { close(); }

void Link::open() {
  if (path_.empty() || stream_ != nullptr) {
    return;
  }
  stream_ = transport_.open_stream(path_, options_.metadata, *this);
  ++numbers_.open_streams;
  node_sent_ = false;
  owner_.on_open();
}

void Link::close() {
  retry_.cancel();
  token_.cancel();
  if (stream_ != nullptr) {
    stream_.reset();
    --numbers_.open_streams;
  }
}

bool Link::may_send() {
  if (stream_ == nullptr) {
    return false;
  }
  if (!tokens_ || tokens_->take(1, loop_.now())) {
    return true;
  }
  ++numbers_.rate_limit_enforced;
  if (!token_.armed()) {
    token_.arm(std::max(tokens_->until_next(loop_.now()), Duration(1)));
  }
  return false;
}

void Link::send(std::string request) {
  if (!node_sent_ || options_.send_node == Options::SendNode::kAlways) {
    node_sent_ = true;
    request += node_;
  }
  stream_->send(std::move(request));
}

void Link::on_message(std::string_view message) {
  if (owner_.on_response(message)) {
    next_back_off_ = options_.back_off_base;
    return;
  }
  lose("what came is no discovery response");
}

void Link::on_end(int grpc_status, std::string_view message) {
  lose(cat("gRPC config stream closed: ", grpc_status, ", ", message));
}

void Link::lose(std::string_view why) {
  const std::string text(why);
  SLUICE_LOG(kWarning, kConfig, path_.substr(path_.rfind('/') + 1), " ", text);
  close();
  const Duration most = std::max(next_back_off_, Duration(1));
  next_back_off_ = std::min(std::max(most * 2, Duration(1)), std::max(options_.back_off_max, Duration(1)));
  retry_.arm(Duration(static_cast<int64_t>(random_.below(static_cast<uint64_t>(most.count())))));
  owner_.on_lost(text);
}

}  // namespace sluice::xds
