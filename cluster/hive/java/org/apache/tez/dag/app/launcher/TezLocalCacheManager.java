package org.apache.tez.dag.app.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.yarn.api.records.LocalResource;
import org.apache.hadoop.yarn.util.FSDownload;
import org.apache.tez.dag.api.TezConstants;

/**
 * Brings what a statement has added (`ADD FILE`) into the working folder of a task.
 *
 * <p>In local mode a task is a thread of HiveServer2: it has Hive's classes and Tez's settings
 * already. Tez's own class of this name fetches both for each task all the same, 83 MB from HDFS,
 * with a process for each change of a mode.
 */
public class TezLocalCacheManager {
    /** The name under which Hive keeps its own jar: with version and SHA-256. */
    private static final Pattern HIVE = Pattern.compile("hive-exec-[^-]+-[0-9a-f]{64}\\.jar");

    private final Map<String, LocalResource> resources;
    private final Configuration conf;
    private final List<Path> folders = new ArrayList<>();
    /** In the working folder, each with the file that it leads to. */
    private final Map<Path, Path> links = new HashMap<>();

    /** The resources by the names that the task knows them by. */
    public TezLocalCacheManager(Map<String, LocalResource> resources, Configuration conf)
            throws IOException {
        this.resources = resources;
        this.conf = conf;
    }

    /** Fetches what the task does not have, each under its name. */
    public void localize() throws IOException {
        for (Map.Entry<String, LocalResource> each : resources.entrySet()) {
            if (!isHere(each.getKey())) {
                link(Path.of(each.getKey()), fetched(each.getValue()));
            }
        }
    }

    private static boolean isHere(String name) {
        return HIVE.matcher(name).matches() || name.equals(TezConstants.TEZ_PB_BINARY_CONF_NAME);
    }

    private Path fetched(LocalResource resource) throws IOException {
        Path folder = Files.createTempDirectory("tez-local-cache");
        folders.add(folder);
        org.apache.hadoop.fs.Path target = new org.apache.hadoop.fs.Path(folder.toString(), "file");
        try {
            FSDownload download = new FSDownload(
                    FileContext.getLocalFSFileContext(), UserGroupInformation.getCurrentUser(),
                    conf, target, resource);
            return Path.of(download.call().toUri().getPath());
        } catch (IOException failure) {
            throw failure;
        } catch (Exception failure) {
            throw new IOException(failure);
        }
    }

    /** A link that is there is replaced: of another task, or of a server that was killed. */
    private void link(Path name, Path file) throws IOException {
        if (Files.exists(name, LinkOption.NOFOLLOW_LINKS) && !Files.isSymbolicLink(name)) {
            throw new IOException(name + " is a file of the server; add yours under another name");
        }
        Path fresh = Files.createSymbolicLink(Path.of("." + UUID.randomUUID()), file);
        Files.move(fresh, name, StandardCopyOption.ATOMIC_MOVE);
        links.put(name, file);
    }

    /** Removes what was brought for the task. */
    public void cleanup() throws IOException {
        for (Map.Entry<Path, Path> link : links.entrySet()) {
            Path name = link.getKey();
            if (Files.isSymbolicLink(name) && Files.readSymbolicLink(name).equals(link.getValue())) {
                Files.deleteIfExists(name);
            }
        }
        for (Path folder : folders) {
            FileUtil.fullyDelete(folder.toFile());
        }
    }
}
