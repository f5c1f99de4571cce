package org.apache.tez.dag.app.launcher;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
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
    private static final String HIVE = "hive-exec-";

    private final Map<String, LocalResource> resources;
    private final Configuration conf;
    /** What this has made in the working folder, the newest first. */
    private final Deque<Path> made = new ArrayDeque<>();

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
        return name.startsWith(HIVE) || name.equals(TezConstants.TEZ_PB_BINARY_CONF_NAME);
    }

    private Path fetched(LocalResource resource) throws IOException {
        Path folder = Files.createTempDirectory(Path.of("").toAbsolutePath(), "tez-local-cache");
        made.push(folder);
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

    private void link(Path name, Path file) throws IOException {
        try {
            Files.createSymbolicLink(name, file);
            made.push(name);
        } catch (FileAlreadyExistsException known) {
            // another task's, which may be reading it
        }
    }

    /** Removes what was brought for the task. */
    public void cleanup() throws IOException {
        while (!made.isEmpty()) {
            FileUtil.fullyDelete(made.pop().toFile());
        }
    }
}
