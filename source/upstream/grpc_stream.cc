#include "upstream/grpc_stream.h"

#include <utility>

#include "base/strings.h"

namespace sluice::upstream {

using http::Token;

GrpcStream::GrpcStream(WorkerLocal& local, GrpcUser& user, std::string_view path, const CallOptions& options,
                       size_t max_message)
    : loop_(local.loop),
      user_(&user),
      call_(new Call(local, static_cast<CallUser&>(*this), options)),
      decoder_(max_message) {
  http::RequestHeaders& headers = call_->headers();
  headers.method = "POST";
  headers.path = headers.fields.arena().copy(path);
  headers.protocol = http::Protocol::kHttp2;
  headers.fields.add(Token::kTe, "trailers");
  if (options.timeout.count() > 0) {
    headers.fields.set_copy(Token::kGrpcTimeout, cat(to_ms(options.timeout), "m"));
  }
  headers.fields.add(Token::kContentType, "application/grpc");
}

void GrpcStream::let_go() {
  user_ = nullptr;
  call_.reset();
  loop_.destroy_later(std::unique_ptr<event::Deferred>(this));
}

void GrpcStream::start(Cluster* cluster) { call_->start(cluster, http::End::kNo); }

void GrpcStream::send(std::string_view message) {
  if (user_ != nullptr) {
    call_->send(http::grpc_prefix(static_cast<uint32_t>(message.size())).view(), message, http::End::kNo);
  }
}

void GrpcStream::finish() {
  if (user_ != nullptr) {
    call_->send({}, {}, http::End::kYes);
  }
}

void GrpcStream::on_call_headers(http::ResponseHeaders& headers, http::End end_of) {
  if (headers.status != 200) {
    // grpc-status has the last word where there is one.
    if (end_of == http::End::kYes && http::grpc_status_in(headers.fields)) {
      ended_with(headers.fields);
    } else {
      end(http::grpc_status_of(headers.status), cat("HTTP status ", headers.status));
    }
    return;
  }
  if (end_of == http::End::kYes) {
    ended_with(headers.fields);
  }
}

void GrpcStream::on_call_data(buffer::Buffer& data, http::End end_of) {
  using Found = http::GrpcDecoder::Found;
  while (user_ != nullptr) {
    const Found found = decoder_.next(data);
    if (found == Found::kMore) {
      break;
    }
    if (found == Found::kTooLong) {
      end(http::kGrpcResourceExhausted, "a message is longer than allowed");
    } else if (found == Found::kCompressed) {
      end(http::kGrpcInternal, "a message is compressed");
    } else {
      user_->on_grpc_message(decoder_.message());
    }
  }
  if (end_of == http::End::kYes && user_ != nullptr) {
    end(http::kGrpcUnknown, "the stream ended without a status");
  }
}

void GrpcStream::on_call_trailers(http::HeaderMap& trailers) { ended_with(trailers); }

void GrpcStream::ended_with(const http::HeaderMap& fields) {
  const auto status = http::grpc_status_in(fields);
  if (status == http::kGrpcOk && !decoder_.at_boundary()) {
    end(http::kGrpcInternal, "the last message was cut short");
    return;
  }
  end(status.value_or(http::kGrpcUnknown), http::grpc_message_in(fields));
}

void GrpcStream::on_call_failed(const CallFailure& failure) {
  using Kind = CallFailure::Kind;
  uint32_t status = http::kGrpcUnavailable;
  if (failure.kind == Kind::kTimeout) {
    status = http::kGrpcDeadlineExceeded;
  } else if (failure.kind == Kind::kQueueFull) {
    status = http::kGrpcResourceExhausted;
  } else if (failure.kind == Kind::kReset && failure.answered) {
    status = http::kGrpcInternal;  // as Envoy says it
  }
  end(status, failure.text());
}

void GrpcStream::end(uint32_t status, std::string_view message) {
  GrpcUser* user = std::exchange(user_, nullptr);
  connected_ = connected();
  call_.reset();
  if (user != nullptr) user->on_grpc_end(status, message);
}

}  // namespace sluice::upstream
