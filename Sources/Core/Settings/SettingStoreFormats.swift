// How the places of the lower tiers and their encryption keys are written.

/// The place of a Redis; printed without its password.
package struct RedisURLFormat: SettingFormat {
    package let kind = "url"
    package let expected =
        "a URL such as redis://host:6379/1, redis://user:password@one,two, rediss://host or "
        + "unix:///run/redis/redis.sock, or nothing"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> RedisURL? {
        let text = try scalar(node, name)
        guard !text.isEmpty else { return nil }
        do throws(RedisURLFailure) {
            return try RedisURL(text)
        } catch {
            throw refuse(node, name, error.description)
        }
    }

    package func write(_ value: RedisURL?) -> ConfigNode.Content { .scalar(value?.description ?? "") }
}

/// The place of an object store.
package struct ObjectsURLFormat: SettingFormat {
    package let kind = "url"
    package let expected =
        "a URL such as file:///var/lib/refrain/objects, s3://bucket/prefix?region=eu-west-1 or "
        + "s3+v2://bucket?endpoint=http://host:port, or nothing"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> ObjectsURL? {
        let text = try scalar(node, name)
        guard !text.isEmpty else { return nil }
        do throws(ObjectsURL.Invalid) {
            return try ObjectsURL(text)
        } catch {
            throw SettingsError(at: node.place, setting: name, error.description)
        }
    }

    package func write(_ value: ObjectsURL?) -> ConfigNode.Content { .scalar(value?.description ?? "") }
}

/// Encryption keys, or the file that holds them. Keys are never shown; the name of the file is.
package struct EncryptionKeysFormat: SettingFormat {
    package let kind = "secret"
    package let expected =
        "keys between commas, each 64 hexadecimal digits or 32 bytes in base64, or file:/path of a file with one key a "
        + "line, or nothing"
    package let isSecret = true

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> EncryptionKeySource {
        let text = try scalar(node, name)
        guard !text.isEmpty else { return .none }
        // Nothing else begins so: a colon is in no key.
        if text.hasPrefix("file:") { return .file(try path(text, node, name)) }
        guard text != Secret.mask else {
            throw refuse(node, name, "\(Secret.mask) stands where keys are not shown and is none itself")
        }
        do throws(EncryptionKeys.Invalid) {
            return .given(try EncryptionKeys(list: text))
        } catch {
            throw refuse(node, name, error.description)
        }
    }

    /// `file:///path` is the same as `file:/path`.
    private func path(_ text: String, _ node: ConfigNode, _ name: String) throws(SettingsError) -> String {
        var path = text.dropFirst("file:".count)
        if path.hasPrefix("//") { path = path.dropFirst(2) }
        guard path.hasPrefix("/"), path.utf8.count <= 4096, path.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
            throw refuse(node, name, "it names no absolute path")
        }
        return String(path)
    }

    package func write(_ value: EncryptionKeySource) -> ConfigNode.Content {
        switch value {
        case .given(let keys): .scalar(keys.description)
        case .file(let path): .scalar("file:" + path)
        }
    }
}
