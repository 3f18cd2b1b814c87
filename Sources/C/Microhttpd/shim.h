#pragma once
#include <microhttpd.h>

/* MHD_start_daemon takes its options as C varargs, which Swift cannot pass. */
static inline struct MHD_Daemon *refrain_mhd_start(
    unsigned int flags, int listen_descriptor, size_t connection_memory, unsigned int connection_limit,
    unsigned int timeout_seconds, void *context, MHD_LogCallback log, MHD_AcceptPolicyCallback accept,
    MHD_AccessHandlerCallback access, void *(*target)(void *, const char *, struct MHD_Connection *),
    size_t (*unescape)(void *, struct MHD_Connection *, char *), MHD_RequestCompletedCallback completed,
    MHD_NotifyConnectionCallback connection)
{
    return MHD_start_daemon(
        flags, 0, accept, context, access, context,
        MHD_OPTION_EXTERNAL_LOGGER, log, context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket) listen_descriptor,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
        MHD_OPTION_URI_LOG_CALLBACK, target, context,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, context,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_NOTIFY_CONNECTION, connection, context,
        MHD_OPTION_END);
}

/* Variadic for the sake of arguments that no question asked here takes. */
static inline const union MHD_ConnectionInfo *refrain_mhd_connection_info(
    struct MHD_Connection *connection, enum MHD_ConnectionInfoType type)
{
    return MHD_get_connection_info(connection, type);
}

static inline const union MHD_DaemonInfo *refrain_mhd_daemon_info(
    struct MHD_Daemon *daemon, enum MHD_DaemonInfoType type)
{
    return MHD_get_daemon_info(daemon, type);
}
