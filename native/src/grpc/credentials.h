// gRPC's credentials of TlsFiles.
#pragma once

#include <functional>
#include <memory>

#include "base/status.h"
#include "grpc/tls_files.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace efl {

// Each handshake takes the files as they are then.
std::shared_ptr<grpc::ServerCredentials> ServerCredentialsOf(const TlsFilesPtr& files);

// Judges the certificate of a server, which has been verified, before anything is sent to it. On
// threads of gRPC, also after the channel is gone.
using CheckServer = std::function<Status(const PeerCertificatePtr&)>;

// Of the files as they are now: another channel takes what they are later.
std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsOf(const TlsIdentity& identity,
                                                               const CheckServer& check);

}  // namespace efl
