package loyalty;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.protocol.OpenFileEntry;
import org.apache.hadoop.hdfs.protocol.OpenFilesIterator.OpenFilesType;

/**
 * {@code LeaseRecovery FOLDER SECONDS}: closes what dead writers have left open below a folder.
 *
 * <p>In one JVM; Hadoop's own tools (`dfsadmin -listOpenFiles`, `debug recoverLease`) are one for
 * each question. Ends with 0 when nothing is open any more, else with 2 and the file that is.
 */
final class LeaseRecovery {
    private static final int STILL_OPEN = 2;
    private static final long LOOK_MS = 200;
    /** The NameNode begins the recovery of a block anew each time; a round takes a heartbeat. */
    private static final long ASK_AGAIN_MS = 4_000;

    private LeaseRecovery() {}

    public static void main(String[] arguments) throws Exception {
        String folder = arguments[0];
        long end = now() + 1000 * Long.parseLong(arguments[1]);
        Map<String, Long> asked = new HashMap<>();
        try (FileSystem files = FileSystem.get(new Configuration())) {
            DistributedFileSystem hdfs = (DistributedFileSystem) files;
            for (List<String> open = open(hdfs, folder); !open.isEmpty(); open = open(hdfs, folder)) {
                if (now() > end) {
                    System.err.println(open.get(0));
                    System.exit(STILL_OPEN);
                }
                for (String path : open) {
                    Long before = asked.get(path);
                    if (before == null || now() - before >= ASK_AGAIN_MS) {
                        hdfs.recoverLease(new Path(path));
                        asked.put(path, now());
                    }
                }
                Thread.sleep(LOOK_MS);
            }
        }
    }

    /** The paths below the folder that have a writer, whether it lives or not. */
    private static List<String> open(DistributedFileSystem hdfs, String folder) throws IOException {
        RemoteIterator<OpenFileEntry> found =
                hdfs.listOpenFiles(EnumSet.of(OpenFilesType.ALL_OPEN_FILES), folder);
        List<String> paths = new ArrayList<>();
        while (found.hasNext()) {
            String path = found.next().getFilePath();
            if (path.startsWith(folder + "/")) {
                paths.add(path);
            }
        }
        return paths;
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }
}
