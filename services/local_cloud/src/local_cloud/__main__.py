from local_cloud.cli import main

main()
