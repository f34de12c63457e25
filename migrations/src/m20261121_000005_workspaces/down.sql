drop table workspaces;
